import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { type Crl, readCrl, verifyCrl } from "../../../certs/crl.ts";
import { messageOf } from "../../../shared/errors.ts";
import { transaction } from "../registry/database.ts";
import type { Authorities } from "./authorities.ts";
import { revocationErrors } from "./errors.ts";

/** The revocation list of one authority's key that is in force. */
export interface StoredCrl {
  /** Subject key identifier of its authority, lower-case hex. */
  readonly keyId: string;
  /** Common name of its authority. */
  readonly issuer: string;
  readonly number: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly nextUpdateMs: number;
  readonly pem: string;
  /** Certificate of its authority. */
  readonly issuerPem: string;
}

/** What taking a revocation list came to. */
export interface TakenCrl extends StoredCrl {
  /** False for one that was held already. */
  readonly isNew: boolean;
}

/** The revocation lists of every authority. */
export interface Crls {
  /** Those whose authority leads to a trust anchor in force: nobody can verify the others. */
  readonly list: () => readonly StoredCrl[];
  /**
   * Takes a list that its authority signed, that is in date, and no older than the one held.
   * @throws CRL_REFUSED, CRL_ISSUER_UNKNOWN
   */
  readonly take: (pem: string) => TakenCrl;
  /** Whether a list in force names that serial number of that issuer. */
  readonly names: (issuer: string, serial: string) => boolean;
  /** Serial numbers that the lists of an issuer name. */
  readonly serialsOf: (issuer: string) => readonly string[];
}

const SELECT = "SELECT crl.*, authority.pem AS issuer_pem FROM crl JOIN authority USING (key_id)";

/** What {@link createCrls} works with. */
export interface CrlsOptions {
  readonly db: DatabaseSync;
  readonly authorities: Pick<Authorities, "ofCrl" | "stands">;
  readonly now: () => number;
}

/** Revocation lists on the registry's database. */
export function createCrls({ db, authorities, now }: CrlsOptions): Crls {
  return {
    list: () => {
      const stored = db.prepare(`${SELECT} ORDER BY crl.issuer, crl.key_id`).all().map(storedOf);
      return stored.filter(({ issuerPem }) => authorities.stands(issuerPem));
    },
    names: (issuer, serial) =>
      db.prepare("SELECT 1 FROM crl_entry WHERE issuer = ? AND serial = ?").get(issuer, serial) !== undefined,
    serialsOf: (issuer) =>
      db
        .prepare("SELECT DISTINCT serial FROM crl_entry WHERE issuer = ? ORDER BY serial")
        .all(issuer)
        .map(({ serial }) => String(serial)),
    take: (pem) => {
      const content = parse(pem);
      const authority = authorities.ofCrl(content);
      const held = findCrl(db, authority.keyId);
      const findings = verifyCrl({
        pem,
        issuerPem: authority.pem,
        now: new Date(now()),
        ...(held && { leastNumber: held.number }),
      });
      if (findings.length > 0) throw refused(authority.name, findings.map(({ message }) => message).join("; "));
      // Two different lists of one number: whichever came first stays.
      if (held?.number === content.number && held.pem.trim() !== pem.trim())
        throw refused(authority.name, `another list has number ${held.number} already`);
      const stored = {
        keyId: authority.keyId,
        issuer: authority.name,
        number: content.number,
        nextUpdateMs: content.nextUpdate.getTime(),
        pem,
        issuerPem: authority.pem,
      };
      if (held?.number === content.number) return { ...stored, isNew: false };
      const serials = content.revoked.map(({ serial }) => serial);
      transaction(db, () => store(db, stored, serials, now()));
      return { ...stored, isNew: true };
    },
  };
}

function parse(pem: string): Crl {
  try {
    return readCrl(pem);
  } catch (cause) {
    throw revocationErrors.error("CRL_REFUSED", `cannot be read: ${messageOf(cause)}`, { path: "crls", cause });
  }
}

function refused(issuer: string, message: string): Error {
  return revocationErrors.error("CRL_REFUSED", `the list of "${issuer}": ${message}`, { path: "crls" });
}

function store(db: DatabaseSync, crl: StoredCrl, serials: readonly string[], nowMs: number): void {
  const { keyId, issuer, number, nextUpdateMs, pem } = crl;
  db.prepare("DELETE FROM crl WHERE key_id = ?").run(keyId);
  db.prepare("INSERT INTO crl VALUES (?, ?, ?, ?, ?, ?)").run(keyId, issuer, String(number), nextUpdateMs, pem, nowMs);
  const insert = db.prepare("INSERT OR IGNORE INTO crl_entry VALUES (?, ?, ?)");
  for (const serial of serials) insert.run(keyId, issuer, serial);
}

function findCrl(db: DatabaseSync, keyId: string): StoredCrl | undefined {
  const row = db.prepare(`${SELECT} WHERE crl.key_id = ?`).get(keyId);
  return row && storedOf(row);
}

function storedOf(row: Readonly<Record<string, SQLOutputValue>>): StoredCrl {
  return {
    keyId: String(row.key_id),
    issuer: String(row.issuer),
    number: BigInt(String(row.number)),
    nextUpdateMs: Number(row.next_update),
    pem: String(row.pem),
    issuerPem: String(row.issuer_pem),
  };
}
