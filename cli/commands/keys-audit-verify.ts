import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeptHead } from "../../certs/ledger/audit.ts";
import { verifyAuditLog } from "../../custody/audit/verify.ts";
import { EXIT, messageOf } from "../../shared/errors.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { pinnedSigner } from "../../stacks/host/generations/signer-pin.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";
import { readInput, writeNew } from "../files.ts";

/** `keys audit verify`: needs the files of this host alone, and nothing that runs. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const { dir } = await locateDeployment(io, flags);
  const { volumesDir, dir: stateDir } = layoutOf(dir, tmpdir());
  const folder = join(volumesDir, "custody", "audit");
  if (!existsSync(folder))
    throw hostErrors.error("NOT_DEPLOYED", `there is no audit log in "${folder}"`, { path: dir });
  const publicKey = pinnedSigner(stateDir);
  const kept = await keptHeads(context);
  const verdict = await verifyAuditLog({ folder, publicKey, keptHeads: kept }).catch((cause: unknown) => {
    throw cliErrors.error("CLI_FILE", `cannot read "${folder}": ${messageOf(cause)}`, { path: folder, cause });
  });
  const { records, head, findings } = verdict;
  const ok = findings.length === 0;
  if (ok && typeof options.keep === "string" && head !== null) writeNew(io, options.keep, `${head}\n`);
  if (flags.json) printJson(io, { schema: "trustkern.keys-audit/1", ok, keptHeads: kept.length, ...verdict });
  else {
    for (const { code, message } of findings) io.stdout(`${paint("red", code)} ${message}\n`);
    const word = ok ? paint("green", "is whole") : paint("red", "was changed");
    io.stdout(`custody's audit log ${word}: ${records} records, held against ${kept.length} kept heads\n`);
  }
  return ok ? EXIT.done : EXIT.policy;
};

/** Heads of files that are named on the command line, separated by commas; a file has one a line. */
async function keptHeads({ io, options }: CommandContext): Promise<readonly KeptHead[]> {
  const files = typeof options.keptHead === "string" ? options.keptHead.split(",") : [];
  const read = files.map(async (file): Promise<readonly KeptHead[]> => {
    const lines = Buffer.from(await readInput(io, file))
      .toString("utf8")
      .split("\n");
    const heads = lines.flatMap((line, at) =>
      line.trim() === "" ? [] : [{ name: `${file}:${at + 1}`, text: line.trim() }],
    );
    if (heads.length > 0) return heads;
    throw cliErrors.error("CLI_USAGE", `"${file}" has no head of an audit log in it`, { path: "--kept-head" });
  });
  return (await Promise.all(read)).flat();
}
