import type { KeyObject } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { KeptHead } from "../../certs/ledger/audit.ts";
import { readHead } from "../../custody/audit/head.ts";
import { type ReplicasVerdict, verifyReplicas } from "../../custody/replicas/verify.ts";
import { messageOf } from "../../shared/errors.ts";
import { signerIn } from "../../stacks/host/generations/signer-pin.ts";
import { cliErrors } from "../errors.ts";
import type { Paint } from "../paint.ts";

interface Replica {
  readonly name: string;
  readonly folder: string;
  readonly publicKey: KeyObject;
}

/**
 * Verifies the logs of several custodies: a folder that has one for each, with `audit/`, a copy of its log, and `signer.pem`, the
 * public key that was pinned of it.
 * @throws CLI_FILE, KEYS_SIGNER_UNKNOWN
 */
export async function auditReplicas(root: string, kept: readonly KeptHead[]): Promise<ReplicasVerdict> {
  const replicas = replicasIn(root);
  const heads = await headsOf(replicas, kept);
  const evidence = replicas.map((each) => ({ ...each, keptHeads: heads.get(each.name) ?? [] }));
  return verifyReplicas(evidence).catch((cause: unknown) => {
    throw cliErrors.error("CLI_FILE", `cannot read "${root}": ${messageOf(cause)}`, { path: root, cause });
  });
}

function replicasIn(root: string): readonly Replica[] {
  let names: readonly string[];
  try {
    const entries = readdirSync(root, { withFileTypes: true });
    names = entries.filter((each) => each.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    throw cliErrors.error("CLI_FILE", `cannot read "${root}": ${messageOf(cause)}`, { path: "--replicas", cause });
  }
  if (names.length === 0) {
    const fix =
      "copy the folder of each custody's audit log there, as NAME/audit, and its public key as NAME/signer.pem";
    throw cliErrors.error("CLI_FILE", `"${root}" has no folder of a custody in it`, { path: "--replicas", fix });
  }
  return [...names].sort().map((name) => ({
    name,
    folder: join(root, name, "audit"),
    publicKey: signerIn(join(root, name, "signer.pem")),
  }));
}

/** Whose head each one is: one that nobody signed is held against the first, where it is a finding. */
async function headsOf(
  replicas: readonly Replica[],
  kept: readonly KeptHead[],
): Promise<ReadonlyMap<string | undefined, readonly KeptHead[]>> {
  const owned = kept.map(async (head) => {
    for (const { name, publicKey } of replicas)
      if ((await readHead(head.text.trimEnd(), publicKey)) !== null) return { head, name };
    return { head, name: replicas[0]?.name };
  });
  const byName = Map.groupBy(await Promise.all(owned), ({ name }) => name);
  return new Map([...byName].map(([name, each]) => [name, each.map(({ head }) => head)]));
}

/** What was found, for a person. */
export function renderReplicas({ logs, writer, findings }: ReplicasVerdict, kept: number, paint: Paint): string {
  const fixes = new Set(findings.map(({ fix }) => `  fix: ${fix}\n`));
  const whole = findings.length === 0 ? paint("green", "are whole and fit each other") : paint("red", "do not fit");
  return [
    ...findings.map(({ code, message }) => `${paint("red", code)} ${message}\n`),
    ...fixes,
    ...logs.map(({ name, records }) => `${name}${name === writer ? " (writer)" : ""}: ${records} records\n`),
    `the audit logs of ${logs.length} custodies ${whole}; held against ${kept} kept heads\n`,
  ].join("");
}
