import type { IncomingMessage } from "node:http";
import type { DatabaseSync } from "node:sqlite";
import { callerOf } from "../runtime/mutual-server.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";
import { recordGatewayKey } from "./fleet/built-in.ts";
import type { Journal, Serially } from "./journal.ts";
import type { CertificateRecord, Certificates } from "./revocation/certificates.ts";
import { verifiedChain } from "./revocation/chain.ts";
import { journalEntry } from "./revocation/revoker.ts";

/** Changes certificates with a journal entry and an event for each. */
export interface Recorder {
  /** Records a chain that was made elsewhere. @throws CERTIFICATE_REFUSED */
  readonly record: (chainPem: string, actor: string) => Promise<CertificateRecord>;
  /**
   * Runs a change that revokes; every certificate that is revoked by it gets its entry and its event, and what the issuers
   * have to do about it begins at once.
   */
  readonly revoking: <T>(message: IncomingMessage, reason: string, change: () => T) => Promise<T>;
}

/** What {@link createRecorder} works with. */
export interface RecorderOptions {
  readonly db: DatabaseSync;
  readonly certificates: Certificates;
  readonly authorities: { readonly learn: (pem: string) => unknown };
  readonly journal: Journal;
  readonly serially: Serially;
  readonly events: Pick<SecurityEvents, "emit">;
  readonly anchorsPem: () => string;
  /** Called after a revocation. */
  readonly revoked: () => void;
  readonly now: () => number;
}

/** The recorder on the registry's database. */
export function createRecorder(options: RecorderOptions): Recorder {
  const { db, certificates, authorities, journal, serially, events, anchorsPem, revoked, now } = options;
  const states = (): ReadonlyMap<string, CertificateRecord["state"]> =>
    new Map(certificates.list().map(({ serial, state }) => [serial, state]));
  return {
    record: (chainPem, actor) =>
      serially(async () => {
        const chain = verifiedChain(chainPem, anchorsPem(), now());
        const known = states().get(chain.serial);
        authorities.learn(chain.authority.pem);
        const record = certificates.record(chain);
        recordGatewayKey(db, chain, now());
        if (known === undefined) {
          await journal.append({ ...journalEntry(record, actor, "recorded"), kind: "issued" });
          events.emit({ kind: "CERT_ISSUED", actor, object: record.serial, reason: record.name });
        }
        return record;
      }),
    revoking: (message, reason, change) =>
      serially(async () => {
        const actor = callerOf(message) ?? "unknown";
        const before = states();
        const result = change();
        const fresh = certificates
          .list()
          .filter(({ serial, state }) => state === "revoked" && before.get(serial) !== state);
        for (const record of fresh) {
          await journal.append(journalEntry(record, actor, record.reason ?? reason));
          const sourceAddress = message.socket.remoteAddress ?? null;
          events.emit({ kind: "CERT_REVOKED", actor, sourceAddress, object: record.serial, reason });
        }
        if (fresh.length > 0) revoked();
        return result;
      }),
  };
}
