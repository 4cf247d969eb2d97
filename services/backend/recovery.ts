import type { DatabaseSync } from "node:sqlite";
import type { SecurityEvents } from "../runtime/security-events.ts";
import type { Journal } from "./journal.ts";
import { transaction } from "./registry/database.ts";
import { findCertificate, revokeCertificate } from "./revocation/certificates.ts";
import { reasonOf } from "./revocation/reasons.ts";

/** What {@link finishRevocations} works with. */
export interface RecoveryOptions {
  readonly db: DatabaseSync;
  readonly journal: Pick<Journal, "entries">;
  readonly events: Pick<SecurityEvents, "emit">;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/**
 * Revokes what the journal calls revoked and the registry does not: a process died between both. An entry of an issuance
 * without its record needs nothing, since nobody was given that certificate.
 */
export function finishRevocations({ db, journal, events, now }: RecoveryOptions): void {
  for (const { kind, serial, actor, reason } of journal.entries()) {
    if (kind !== "revoked") continue;
    const record = findCertificate(db, serial);
    if (record === undefined || record.state === "revoked") continue;
    transaction(db, () => revokeCertificate(db, serial, reasonOf(reason), now()));
    events.emit({ kind: "CERT_REVOKED", actor, object: serial, reason: "finished after a restart" });
  }
}
