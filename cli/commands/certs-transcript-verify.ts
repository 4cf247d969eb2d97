import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderTranscript } from "../../certs/ceremony/render-transcript.ts";
import { openTranscript, verifyTranscript } from "../../certs/ceremony/transcript.ts";
import { EXIT } from "../../shared/errors.ts";
import { authoritiesInUse } from "../../stacks/host/authorities-in-use.ts";
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
  for (const { id, name } of authoritiesInUse(authoritiesDir).filter((each) => each.id !== "root")) {
    certificates[id] = await read(join(authoritiesDir, `${name}.crt`));
  }
  const findings = await verifyTranscript({ jws, rootPem, certificates });
  const ok = findings.length === 0;
  if (flags.json) printJson(io, { schema: "trustkern.certs-transcript/1", ok, findings });
  else if (ok) io.stdout(`${renderTranscript(await openTranscript(jws, rootPem))}\n`);
  for (const { path, message } of flags.json ? [] : findings) io.stdout(`${paint("red", path)} ${message}\n`);
  return ok ? EXIT.done : EXIT.failed;
};
