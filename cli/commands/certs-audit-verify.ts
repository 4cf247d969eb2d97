import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyLedger } from "../../certs/ledger/verify.ts";
import { EXIT } from "../../shared/errors.ts";
import { auditPublicKey, LEDGER_FILES } from "../../stacks/host/host-ledger.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";

/** `certs audit verify`: whether the ledger of issued and revoked certificates is whole, in order, and as its head says. */
export const run: Run = async ({ io, flags, paint }) => {
  const { dir } = await locateDeployment(io, flags);
  const { authoritiesDir } = layoutOf(dir, tmpdir());
  const read = (file: string): string => {
    const path = join(authoritiesDir, file);
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      throw cliErrors.error("CLI_FILE", `cannot read "${path}"`, { path, cause });
    }
  };
  const text = read(LEDGER_FILES.records);
  const head = read(LEDGER_FILES.head);
  read(LEDGER_FILES.key);
  const findings = await verifyLedger({ text, head, publicKey: auditPublicKey(authoritiesDir) });
  const records = text.split("\n").length - 1;
  if (flags.json) printJson(io, { schema: "trustkern.certs-audit/1", ok: findings.length === 0, records, findings });
  else {
    for (const { code, message } of findings) io.stdout(`${paint("red", code)} ${message}\n`);
    const sum = findings.length === 0 ? paint("green", "the ledger is whole") : paint("red", "the ledger was changed");
    io.stdout(`${sum}: ${records} records\n`);
  }
  return findings.length === 0 ? EXIT.done : EXIT.failed;
};
