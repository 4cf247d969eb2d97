import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { LeafClass } from "../../../certs/names.ts";
import { transaction } from "../registry/database.ts";
import type { VerifiedChain } from "./chain.ts";
import { revocationErrors } from "./errors.ts";
import type { RevocationReason } from "./reasons.ts";
import { endSession } from "./sessions.ts";

/** A certificate that this deployment issued. */
export interface CertificateRecord {
  readonly serial: string;
  /** SHA-256 of its DER; null until it is seen, when a serial number was given away for it. */
  readonly sha256: string | null;
  /** Common name of its authority. */
  readonly issuer: string;
  readonly leafClass: LeafClass;
  readonly name: string;
  /** Uncompressed point in lower-case hex. */
  readonly publicKey: string;
  /** Milliseconds since the Unix epoch, like the other times; of one that is expected, when it was allowed. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly state: "expected" | "issued" | "revoked";
  readonly reason: string | null;
  readonly revokedAtMs: number | null;
  /** The signed verdict on its enrolment (JWS), or null for one that was recorded by an operator. */
  readonly verdict: string | null;
}

/** A certificate that an issuer was allowed to make. */
export type ExpectedCertificate = Pick<CertificateRecord, "serial" | "issuer" | "leafClass" | "name" | "publicKey"> & {
  readonly notAfterMs: number;
  readonly verdict: string;
};

/** What a verified peer shows of its certificate. */
export interface PeerCertificate {
  readonly serial: string;
  readonly sha256: string;
  readonly issuer: string;
  readonly name: string;
}

/** The certificates that are on record. */
export interface Certificates {
  readonly list: () => readonly CertificateRecord[];
  /** @throws CERTIFICATE_UNKNOWN */
  readonly get: (serial: string) => CertificateRecord;
  /** Records a certificate that was made elsewhere; again changes nothing. @throws CERTIFICATE_REFUSED */
  readonly record: (chain: VerifiedChain) => CertificateRecord;
  /** Records the fingerprint of one that was expected, when its holder shows it for the first time. */
  readonly seen: (peer: PeerCertificate) => void;
  /** Revokes, for good, and ends the sessions of its name; a second time changes nothing. @throws CERTIFICATE_UNKNOWN */
  readonly revoke: (serial: string, reason: RevocationReason) => CertificateRecord;
  /** The newest one of a name that is valid and whose fingerprint is known, or undefined. */
  readonly newestOf: (name: string) => CertificateRecord | undefined;
  /** A valid one by its fingerprint, or undefined. */
  readonly bySha256: (sha256: string) => CertificateRecord | undefined;
}

/** Certificates on the registry's database. */
export function createCertificates(db: DatabaseSync, now: () => number): Certificates {
  const get = (serial: string): CertificateRecord => {
    const found = findCertificate(db, serial);
    if (found) return found;
    throw revocationErrors.error("CERTIFICATE_UNKNOWN", `no certificate ${serial} is on record`, { path: "serial" });
  };
  return {
    get,
    list: () => db.prepare("SELECT * FROM certificate ORDER BY recorded_at, serial").all().map(recordOf),
    record: (chain) =>
      transaction(db, () => {
        recordChain(db, chain, now());
        return get(chain.serial);
      }),
    seen: ({ serial, sha256, issuer, name }) => {
      const { state } = findCertificate(db, serial) ?? {};
      if (state !== "expected") return;
      transaction(db, () =>
        db
          .prepare("UPDATE certificate SET sha256 = ?, state = 'issued' WHERE serial = ? AND issuer = ? AND name = ?")
          .run(sha256, serial, issuer, name),
      );
    },
    revoke: (serial, reason) =>
      transaction(db, () => {
        if (get(serial).state !== "revoked") revokeCertificate(db, serial, reason, now());
        return get(serial);
      }),
    newestOf: (name) => {
      const row = db
        .prepare(
          "SELECT * FROM certificate WHERE name = ? AND state = 'issued' AND not_after > ? ORDER BY recorded_at DESC, not_after DESC LIMIT 1",
        )
        .get(name, now());
      return row && recordOf(row);
    },
    bySha256: (sha256) => {
      const row = db
        .prepare("SELECT * FROM certificate WHERE sha256 = ? AND state = 'issued' AND not_after > ?")
        .get(sha256, now());
      return row && recordOf(row);
    },
  };
}

/** Records a certificate that does not exist yet; part of the transaction that allows it. */
export function expectCertificate(db: DatabaseSync, expected: ExpectedCertificate, nowMs: number): void {
  insert(db, { ...expected, sha256: null, notBeforeMs: nowMs, state: "expected" }, nowMs);
}

/** Revokes one that is on record; part of a transaction. */
export function revokeCertificate(db: DatabaseSync, serial: string, reason: string, nowMs: number): void {
  db.prepare("UPDATE certificate SET state = 'revoked', reason = ?, revoked_at = ? WHERE serial = ?").run(
    reason,
    nowMs,
    serial,
  );
  const name = findCertificate(db, serial)?.name;
  if (name !== undefined) endSession(db, { name, reason: "certificate-revoked", serial, atMs: nowMs });
}

/** The certificate of that serial number, or undefined. */
export function findCertificate(db: DatabaseSync, serial: string): CertificateRecord | undefined {
  const row = db.prepare("SELECT * FROM certificate WHERE serial = ?").get(serial);
  return row && recordOf(row);
}

/** Records an existing certificate with its authority; part of a transaction. */
function recordChain(db: DatabaseSync, chain: VerifiedChain, nowMs: number): void {
  const { serial, sha256, authority, leafClass, name, publicKey, notBeforeMs, notAfterMs } = chain;
  const known = findCertificate(db, serial);
  if (known && (known.name !== name || known.publicKey !== publicKey || (known.sha256 ?? sha256) !== sha256))
    throw revocationErrors.error("CERTIFICATE_REFUSED", `certificate ${serial} is on record with something else`, {
      path: "chain_pem",
    });
  if (known) {
    db.prepare(
      "UPDATE certificate SET sha256 = ?, not_before = ?, not_after = ?, state = iif(state = 'expected', 'issued', state) WHERE serial = ?",
    ).run(sha256, notBeforeMs, notAfterMs, serial);
    return;
  }
  const issued = { serial, sha256, issuer: authority.name, leafClass, name, publicKey, notBeforeMs, notAfterMs };
  insert(db, { ...issued, state: "issued", verdict: null }, nowMs);
}

function insert(db: DatabaseSync, record: Omit<CertificateRecord, "reason" | "revokedAtMs">, nowMs: number): void {
  const { serial, sha256, issuer, leafClass, name, publicKey, notBeforeMs, notAfterMs, state, verdict } = record;
  db.prepare(
    `INSERT INTO certificate
       (serial, sha256, issuer, class, name, public_key, not_before, not_after, state, verdict, recorded_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(serial, sha256, issuer, leafClass, name, publicKey, notBeforeMs, notAfterMs, state, verdict, nowMs);
}

function recordOf(row: Readonly<Record<string, SQLOutputValue>>): CertificateRecord {
  const text = (value: SQLOutputValue | undefined): string | null => (value === null ? null : String(value));
  return {
    serial: String(row.serial),
    sha256: text(row.sha256),
    issuer: String(row.issuer),
    leafClass: row.class as LeafClass,
    name: String(row.name),
    publicKey: String(row.public_key),
    notBeforeMs: Number(row.not_before),
    notAfterMs: Number(row.not_after),
    state: row.state as CertificateRecord["state"],
    reason: text(row.reason),
    revokedAtMs: row.revoked_at === null ? null : Number(row.revoked_at),
    verdict: text(row.verdict),
  };
}
