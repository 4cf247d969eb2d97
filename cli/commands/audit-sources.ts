import { createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { KeptHead, LedgerSource } from "../../certs/ledger/audit.ts";
import { verifyLedger } from "../../certs/ledger/verify.ts";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { auditPublicKey, LEDGER_FILES } from "../../stacks/host/host-ledger.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import type { CommandContext } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";
import { readInput } from "../files.ts";
import { certsSite } from "./certs-context.ts";

const LOOKS = 5;
const BETWEEN_LOOKS_MS = 100;

const audit = z.object({ ledger: z.string(), head: z.string() });

/**
 * The ledger of this host: its files alone, also of a deployment that is not there any more.
 * @throws NOT_DEPLOYED, CLI_FILE
 */
export async function hostLedgerSource({ io, flags }: CommandContext): Promise<LedgerSource> {
  const { dir } = await locateDeployment(io, flags);
  const { authoritiesDir } = layoutOf(dir, tmpdir());
  if (!existsSync(authoritiesDir)) {
    throw hostErrors.error("NOT_DEPLOYED", `there are no authorities in "${authoritiesDir}"`, { path: dir });
  }
  const read = (file: string): string => {
    const path = join(authoritiesDir, file);
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      throw cliErrors.error("CLI_FILE", `cannot read "${path}"`, { path, cause });
    }
  };
  read(LEDGER_FILES.key);
  const publicKey = auditPublicKey(authoritiesDir);
  for (let look = 1; ; look += 1) {
    const evidence = { text: read(LEDGER_FILES.records), head: read(LEDGER_FILES.head) };
    // Another program may be entering something: records and head then fit each other a moment later.
    const fits = (await verifyLedger({ ...evidence, publicKey })).length === 0;
    if (fits || look === LOOKS) return { name: "host", publicKey, evidence };
    await sleep(BETWEEN_LOOKS_MS);
  }
}

/**
 * The ledger of the backend, as it gives it to an operator. Its key is the one that this host gave to the backend, whatever the
 * answer says. Never rejects: why it cannot be read is in the source.
 */
export async function backendLedgerSource(context: CommandContext): Promise<LedgerSource> {
  const name = "backend";
  let publicKey: KeyObject | undefined;
  try {
    const site = await certsSite(context);
    publicKey = backendKey(site);
    const { ledger: text, head } = audit.parse(await (await site.operator())("GET", "/v1/audit"));
    return { name, publicKey, evidence: { text, head } };
  } catch (thrown) {
    const code = thrown instanceof TrustKernError ? thrown.code : "SERVICE_FAILED";
    return { name, publicKey, missing: { code, message: messageOf(thrown) } };
  }
}

/**
 * Heads of files that are named on the command line, separated by commas; a file has one a line.
 * @throws CLI_FILE, CLI_USAGE for a file without any
 */
export async function keptHeads({ io, options }: CommandContext): Promise<readonly KeptHead[]> {
  const files = typeof options.head === "string" ? options.head.split(",") : [];
  const heads: KeptHead[] = [];
  for (const file of files) {
    const lines = Buffer.from(await readInput(io, file))
      .toString("utf8")
      .split("\n");
    const found = lines.flatMap((line, index) =>
      line.trim() === "" ? [] : [{ name: `${file}:${index + 1}`, text: line.trim() }],
    );
    if (found.length === 0)
      throw cliErrors.error("CLI_USAGE", `"${file}" has no head of a ledger in it`, { path: "--head" });
    heads.push(...found);
  }
  return heads;
}

function backendKey({ secretFile }: CertsSite): KeyObject {
  return createPublicKey(readFileSync(secretFile("backend", "signing.key")));
}
