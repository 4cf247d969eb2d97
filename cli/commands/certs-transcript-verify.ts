import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderTranscript } from "../../certs/ceremony/render-transcript.ts";
import { openTranscript, verifyTranscript } from "../../certs/ceremony/transcript.ts";
import { LEAF_CLASSES } from "../../certs/names.ts";
import { EXIT } from "../../shared/errors.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { readInput } from "../files.ts";

/** `certs transcript verify [FILE]`: a ceremony's transcript against the root that signed it and the authorities in use. */
export const run: Run = async ({ io, flags, options, args, paint }) => {
  const { dir } = await locateDeployment(io, flags);
  const { authoritiesDir } = layoutOf(dir, tmpdir());
  const read = async (name: string): Promise<string> => Buffer.from(await readInput(io, name)).toString("utf8");
  const jws = (await read(args[0] ?? join(authoritiesDir, "transcript.jws"))).trim();
  const rootPem = await read(typeof options.root === "string" ? options.root : join(authoritiesDir, "root.crt"));
  const certificates: Record<string, string> = {};
  for (const [authority, file] of inUse(authoritiesDir)) certificates[authority] = await read(file);
  const findings = await verifyTranscript({ jws, rootPem, certificates });
  const ok = findings.length === 0;
  if (flags.json) printJson(io, { schema: "trustkern.certs-transcript/1", ok, findings });
  else if (ok) io.stdout(`${renderTranscript(await openTranscript(jws, rootPem))}\n`);
  for (const { path, message } of flags.json ? [] : findings) io.stdout(`${paint("red", path)} ${message}\n`);
  return ok ? EXIT.done : EXIT.failed;
};

/** Issuing authorities by the names that transcripts have for them, with their files. */
function inUse(dir: string): readonly (readonly [authority: string, file: string])[] {
  const makers = join(dir, "makers");
  const files = existsSync(makers) ? readdirSync(makers).filter((file) => file.endsWith(".crt")) : [];
  return [
    ...LEAF_CLASSES.map((name) => [name, join(dir, `${name}.crt`)] as const).filter(([, file]) => existsSync(file)),
    ...files.map((file) => [`maker-${file.slice(0, -".crt".length)}`, join(makers, file)] as const),
  ];
}
