import type { DatabaseSync } from "node:sqlite";
import { revokeCertificate } from "../revocation/certificates.ts";
import type { RevocationReason } from "../revocation/reasons.ts";
import { endEnrolmentTokens } from "../tokens/enrolment-tokens.ts";
import { revokeTokensOf } from "../tokens/tokens.ts";

/** Revokes a gateway for good, with its certificates and tokens; part of a transaction. */
export function revokeGateway(db: DatabaseSync, name: string, reason: RevocationReason, nowMs: number): void {
  db.prepare("UPDATE gateway SET state = 'revoked', changed_at = ? WHERE name = ?").run(nowMs, name);
  revokeTokensOf(db, name, nowMs);
  endEnrolmentTokens(db, name, "revoked", nowMs);
  const rows = db
    .prepare("SELECT serial FROM certificate WHERE class = 'gateways' AND name = ? AND state <> 'revoked'")
    .all(name);
  for (const { serial } of rows) revokeCertificate(db, String(serial), reason, nowMs);
}
