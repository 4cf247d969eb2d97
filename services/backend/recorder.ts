import type { IncomingMessage } from "node:http";
import type { DatabaseSync } from "node:sqlite";
import { callerOf } from "../runtime/mutual-server.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";
import { recordGatewayKey } from "./fleet/built-in.ts";
import { assertNotRevokedGateway, isRevokedGateway } from "./fleet/standing.ts";
import { chainEntry, type Journal, journalOnce, recordEntry, type Serially } from "./journal.ts";
import { transaction } from "./registry/database.ts";
import { type CertificateRecord, type Certificates, findCertificate } from "./revocation/certificates.ts";
import { type VerifiedChain, verifiedChain } from "./revocation/chain.ts";

/** Changes certificates with a journal entry before, and an event after each. */
export interface Recorder {
  /**
   * Records a chain that was made elsewhere. One that was made for a revoked gateway is recorded as revoked.
   * @throws CERTIFICATE_REFUSED, GATEWAY_REVOKED
   */
  readonly record: (chainPem: string, actor: string) => Promise<CertificateRecord>;
  /**
   * Runs a change of the registry that revokes; every certificate that is revoked by it gets its entry and its event, and
   * what the issuers have to do about it begins at once. The change may be tried and taken back before it is kept.
   */
  readonly revoking: <T>(message: IncomingMessage, reason: string, change: () => T) => Promise<T>;
}

/** What {@link createRecorder} works with. */
export interface RecorderOptions {
  readonly db: DatabaseSync;
  readonly certificates: Pick<Certificates, "list" | "record" | "revoke">;
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
  const takeBack = async (chain: VerifiedChain, actor: string): Promise<void> => {
    await journalOnce(journal, chainEntry(chain, { kind: "revoked", actor, reason: TAKEN_BACK }));
    transaction(db, () => {
      authorities.learn(chain.authority.pem);
      certificates.record(chain);
      certificates.revoke(chain.serial, TAKEN_BACK);
    });
    events.emit({ kind: "CERT_REVOKED", actor, object: chain.serial, reason: "issued for a revoked gateway" });
    revoked();
  };
  return {
    record: (chainPem, actor) =>
      serially(async () => {
        const chain = verifiedChain(chainPem, anchorsPem(), now());
        const isNew = findCertificate(db, chain.serial) === undefined;
        if (isNew) await journalOnce(journal, chainEntry(chain, { kind: "issued", actor, reason: "recorded" }));
        if (isNew && chain.leafClass === "gateways" && isRevokedGateway(db, chain.name)) {
          await takeBack(chain, actor);
          assertNotRevokedGateway(db, chain.name);
        }
        const record = transaction(db, () => {
          authorities.learn(chain.authority.pem);
          recordGatewayKey(db, chain, now());
          return certificates.record(chain);
        });
        if (isNew) events.emit({ kind: "CERT_ISSUED", actor, object: record.serial, reason: record.name });
        return record;
      }),
    revoking: (message, reason, change) =>
      serially(async () => {
        const actor = callerOf(message) ?? "unknown";
        const sourceAddress = message.socket.remoteAddress ?? null;
        const { fresh, result } = await keepOnceJournalled({ db, certificates, change }, (record) =>
          journalOnce(journal, recordEntry(record, { kind: "revoked", actor, reason: record.reason ?? reason })),
        );
        for (const { serial } of fresh)
          events.emit({ kind: "CERT_REVOKED", actor, sourceAddress, object: serial, reason });
        if (fresh.length > 0) revoked();
        return result;
      }),
  };
}

/** Why what was issued for a revoked gateway is revoked. */
const TAKEN_BACK = "cessationOfOperation";

/** Takes a change back whose revocations are not in the journal. */
class NotJournalled extends Error {
  readonly records: readonly CertificateRecord[];
  constructor(records: readonly CertificateRecord[]) {
    super("revocations without their entries");
    this.records = records;
  }
}

interface Revoking<T> extends Pick<RecorderOptions, "db" | "certificates"> {
  readonly change: () => T;
}

interface Revoked<T> {
  readonly result: T;
  readonly fresh: readonly CertificateRecord[];
}

/** What a change revokes is known by trying it: it is taken back and tried again until all of that is in the journal. */
async function keepOnceJournalled<T>(
  revoking: Revoking<T>,
  enter: (record: CertificateRecord) => Promise<void>,
): Promise<Revoked<T>> {
  const entered = new Set<string>();
  for (;;) {
    try {
      return tryChange(revoking, entered);
    } catch (thrown) {
      if (!(thrown instanceof NotJournalled)) throw thrown;
      for (const record of thrown.records) {
        await enter(record);
        entered.add(record.serial);
      }
    }
  }
}

function tryChange<T>({ db, certificates, change }: Revoking<T>, entered: ReadonlySet<string>): Revoked<T> {
  const revokedNow = (): readonly CertificateRecord[] => certificates.list().filter(({ state }) => state === "revoked");
  return transaction(db, () => {
    const before = new Set(revokedNow().map(({ serial }) => serial));
    const result = change();
    const fresh = revokedNow().filter(({ serial }) => !before.has(serial));
    const missing = fresh.filter(({ serial }) => !entered.has(serial));
    if (missing.length > 0) throw new NotJournalled(missing);
    return { result, fresh };
  });
}
