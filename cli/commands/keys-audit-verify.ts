import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { KeptHead } from "../../certs/ledger/audit.ts";
import { looksLikeHead } from "../../custody/audit/head.ts";
import { type AuditVerdict, verifyAuditLog } from "../../custody/audit/verify.ts";
import { EXIT, messageOf, TrustKernError } from "../../shared/errors.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { custodyFolder, pinnedSigner } from "../../stacks/host/generations/signer-pin.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";
import { readInput, writeNew } from "../files.ts";
import type { Paint } from "../paint.ts";
import { auditReplicas, renderReplicas } from "./keys-audit-replicas.ts";

/** `keys audit verify`: needs the files of this host alone, and nothing that runs. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  if (typeof options.replicas === "string") return runReplicas(context, options.replicas);
  const { dir } = await locateDeployment(io, flags);
  const { volumesDir, dir: stateDir } = layoutOf(dir, tmpdir());
  const folder = join(volumesDir, "custody", "audit");
  // What this host keeps of custody comes after its first record: with it, and without a log, the log was taken away.
  if (!existsSync(folder) && !existsSync(custodyFolder(stateDir)))
    throw hostErrors.error("NOT_DEPLOYED", `there is no audit log in "${folder}"`, { path: dir });
  const publicKey = pinnedSigner(stateDir);
  const kept = await keptHeads(context);
  const verdict = await verifyAuditLog({ folder, publicKey, keptHeads: kept }).catch((cause: unknown) => {
    throw cliErrors.error("CLI_FILE", `cannot read "${folder}": ${messageOf(cause)}`, { path: folder, cause });
  });
  const { head, findings } = verdict;
  const ok = findings.length === 0;
  if (ok && typeof options.keep === "string" && head !== null) keep(context, options.keep, head);
  if (flags.json) printJson(io, { schema: "trustkern.keys-audit/1", ok, keptHeads: kept.length, ...verdict });
  else io.stdout(renderVerdict(verdict, kept.length, paint));
  return ok ? EXIT.done : EXIT.policy;
};

/** The logs of several custodies, which are wherever the auditor has put them. */
async function runReplicas(context: CommandContext, root: string): ReturnType<Run> {
  const { io, flags, options, paint } = context;
  const kept = await keptHeads(context);
  const verdict = await auditReplicas(resolve(io.cwd, root), kept);
  const ok = verdict.findings.length === 0;
  const heads = verdict.logs.flatMap(({ head }) => head ?? []);
  if (ok && typeof options.keep === "string" && heads.length > 0) keep(context, options.keep, heads.join("\n"));
  if (flags.json) printJson(io, { schema: "trustkern.keys-audit-replicas/1", ok, keptHeads: kept.length, ...verdict });
  else io.stdout(renderReplicas(verdict, kept.length, paint));
  return ok ? EXIT.done : EXIT.policy;
}

function renderVerdict({ records, present, findings }: AuditVerdict, kept: number, paint: Paint): string {
  const against =
    kept === 0
      ? "held against no kept head, so that its last commit may be missing: keep one elsewhere with --keep\n"
      : `held against ${kept} kept heads\n`;
  if (findings.length === 0) return `custody's audit log ${paint("green", "is whole")}: ${records} records, ${against}`;
  const fixes = new Set(findings.map(({ fix }) => `  fix: ${fix}\n`));
  return [
    ...findings.map(({ code, message }) => `${paint("red", code)} ${message}\n`),
    ...fixes,
    `custody's audit log ${paint("red", "was changed")}: the last record is number ${present}, and its head counts ${records}; ${against}`,
  ].join("");
}

/** @throws CLI_FILE_EXISTS, CLI_OUTPUT */
function keep({ io }: CommandContext, file: string, head: string): void {
  try {
    writeNew(io, file, `${head}\n`);
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || thrown.code !== "CLI_FILE_EXISTS") throw thrown;
    const { message, cause } = thrown;
    const fix = "name another file with --keep: each head is worth keeping";
    throw cliErrors.error("CLI_FILE_EXISTS", message, { path: "--keep", fix, cause });
  }
}

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
    // One line that is none beside others may be one that was changed, and is a finding.
    if (heads.some(({ text }) => looksLikeHead(text))) return heads;
    throw cliErrors.error("CLI_USAGE", `"${file}" has no signed head of an audit log in it`, {
      path: "--kept-head",
      fix: "name a file that `trustkern keys audit verify --keep FILE` wrote",
    });
  });
  return (await Promise.all(read)).flat();
}
