import { hash } from "node:crypto";
import type { AuditLog } from "../../custody/audit/log.ts";
import type { KeyStoreFacts } from "../../custody/backends/key-store.ts";
import { COMPROMISE_STATEMENT } from "../../custody/compromise-statement.ts";
import { custodyErrors } from "../../custody/errors.ts";
import { findGeneration, type Generation } from "../../custody/generation.ts";
import { dsseSign } from "../../protocol/dsse.ts";
import type { Signer } from "../../protocol/signature.ts";
import { stableJson } from "../../shared/stable-json.ts";

/** What a statement is made of. */
export interface AttestParts {
  readonly tenant: string;
  /** What the keys are on. */
  readonly store: KeyStoreFacts;
  readonly generations: () => readonly Generation[];
  /** Its newest head counts the record of the declaration. */
  readonly audit: Pick<AuditLog, "append" | "head">;
  /** By the store's signer. */
  readonly sign: Signer;
  readonly clock: () => Date;
}

/**
 * Custody's own word that a generation is compromised: what was declared and when, what took its place, who asked for the
 * statement, and the head of the log in which who declared it stands. A DSSE envelope. It signs nothing that others say, and
 * nothing before its digest is on record.
 * @throws CUSTODY_GENERATION_UNKNOWN, and what the audit log throws
 * @throws CUSTODY_GENERATION_STATE for one that nobody has declared compromised
 */
export async function attestCompromise(parts: AttestParts, keyId: string, actor: string): Promise<string> {
  const generations = parts.generations();
  const generation = findGeneration(generations, keyId);
  if (generation.compromised === undefined)
    throw custodyErrors.error("CUSTODY_GENERATION_STATE", `generation "${keyId}" is not compromised`);
  const statement = {
    schema: "trustkern.compromise/1",
    tenant: parts.tenant,
    store: parts.store,
    generation,
    active: generations.find(({ state }) => state === "active")?.keyId,
    askedBy: actor,
    at: parts.clock().toISOString(),
    auditHead: parts.audit.head(),
  };
  const payload = Buffer.from(stableJson(statement));
  await parts.audit.append({ kind: "attested", actor, detail: { keyId, statement: hash("sha256", payload) } });
  return dsseSign(COMPROMISE_STATEMENT, payload, parts.sign);
}
