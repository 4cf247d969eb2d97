import { auditLedgers, type LedgerVerdict } from "../../certs/ledger/audit.ts";
import { EXIT } from "../../shared/errors.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { writeNew } from "../files.ts";
import { talk } from "../talk.ts";
import { backendLedgerSource, hostLedgerSource, keptHeads } from "./audit-sources.ts";

const WORDS = { whole: "is whole", changed: "was changed", "not-verified": "was not verified" } as const;
const COLOURS = { whole: "green", changed: "red", "not-verified": "yellow" } as const;

/**
 * `certs audit verify`: whether the ledgers of issued and revoked certificates, the host's and the backend's, are whole, in order,
 * as their heads say, and continue the heads that were kept elsewhere. A backend that does not answer is a failure only with
 * `--require-backend`, or where one of its heads is to be compared.
 */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const kept = await keptHeads(context);
  const sources = [await hostLedgerSource(context), await backendLedgerSource(context)];
  const { ledgers, findings } = await auditLedgers(sources, kept);
  const complete = ledgers.every(({ state }) => state !== "not-verified");
  const ok = findings.length === 0 && (complete || options.requireBackend !== true);
  if (ok && typeof options.output === "string") keep(context, options.output, ledgers);
  if (flags.json) printJson(io, { schema: "trustkern.certs-audit/1", ok, complete, ledgers, findings });
  else printAudit(context, ledgers, findings);
  return ok ? EXIT.done : EXIT.failed;
};

function printAudit(
  { io, paint }: CommandContext,
  ledgers: readonly LedgerVerdict[],
  findings: readonly { readonly code: string; readonly message: string }[],
): void {
  for (const { code, message } of findings) io.stdout(`${paint("red", code)} ${message}\n`);
  for (const { name, state, records, missing } of ledgers) {
    const more = missing === null ? `${records} records` : `${missing.code}: ${missing.message}`;
    io.stdout(`${paint(COLOURS[state], `the ledger of the ${name} ${WORDS[state]}`)}: ${more}\n`);
  }
}

/** Writes the heads that were verified, for whoever keeps them where this host cannot write. */
function keep(context: CommandContext, file: string, ledgers: readonly LedgerVerdict[]): void {
  const verified = ledgers.flatMap(({ name, head }) => (head === null ? [] : [{ name, head }]));
  writeNew(context.io, file, verified.map(({ head }) => `${head.trim()}\n`).join(""));
  talk(context)(`${file}: the heads of ${verified.map(({ name }) => name).join(" and ")}`);
}
