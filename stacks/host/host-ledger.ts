import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RevocationReason } from "../../certs/crl/reasons.ts";
import { certsErrors } from "../../certs/errors.ts";
import { entryOf } from "../../certs/ledger/entry-of.ts";
import { type Ledger, openLedger } from "../../certs/ledger/ledger.ts";
import { readLedger } from "../../certs/ledger/read.ts";
import type { LedgerRecord } from "../../certs/ledger/record.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { lockWithin } from "./lock.ts";
import type { StoreFiles } from "./store-files.ts";

/** What the ledger knows of a revoked certificate. */
export interface RevokedCertificate {
  /** Lower-case hex of whole octets, without leading zero octets. */
  readonly serial: string;
  /** Common name. */
  readonly subject: string;
  /** Common name of its issuer. */
  readonly issuer: string;
  readonly at: Date;
  readonly reason: RevocationReason;
  readonly notAfter: Date;
}

/** Every certificate that this host has issued or revoked, for ever. */
export interface HostLedger {
  /** Reads what other programs have entered since: needed before anything is decided by what the ledger has. */
  readonly reload: () => Promise<void>;
  /** Enters a certificate, the first of the text, once. */
  readonly issued: (certPem: string, actor: string) => Promise<void>;
  /**
   * Enters a revocation, once.
   * @returns its event, or undefined where it was entered before
   */
  readonly revoked: (certPem: string, reason: RevocationReason, actor: string) => Promise<SecurityEvent | undefined>;
  /** {@link revoked} for a certificate that the ledger has: what is known of it is in its record. */
  readonly revokedBySerial: (
    serial: string,
    reason: RevocationReason,
    actor: string,
  ) => Promise<SecurityEvent | undefined>;
  readonly revocations: () => readonly RevokedCertificate[];
  /** Whether a certificate was ever revoked, by its serial number as records have it. */
  readonly isRevoked: (serial: string) => boolean;
  /** Gateways, by their common names, with a certificate of this host that is neither revoked nor over at that time. */
  readonly gatewaysIssued: (at: Date) => readonly string[];
  readonly records: () => readonly LedgerRecord[];
  /** Every record of a certificate, by its serial number in any form of hex. */
  readonly find: (serial: string) => readonly LedgerRecord[];
}

/** Where the ledger of a host is. */
export interface HostLedgerPlace {
  /** The authorities' folder. */
  readonly dir: string;
  readonly tenant: string;
  readonly clock: () => Date;
  readonly files: StoreFiles;
}

interface LedgerPaths {
  readonly file: string;
  readonly headFile: string;
}

/** Files of the ledger in the authorities' folder. */
export const LEDGER_FILES = { records: "ledger.ndjson", head: "ledger.head", key: "audit.key" } as const;

/**
 * Opens the ledger of a host for each entry anew, so that programs one after the other may write it.
 * @throws LEDGER_CORRUPT when it was changed
 */
export async function openHostLedger(place: HostLedgerPlace): Promise<HostLedger> {
  const { tenant, clock } = place;
  const paths = { file: join(place.dir, LEDGER_FILES.records), headFile: join(place.dir, LEDGER_FILES.head) };
  const key = await auditKey(place, paths);
  const lock = join(place.dir, "ledger.lock");
  const open = (): Promise<Ledger> => openLedger({ ...paths, signingKey: key, clock });
  let records: readonly LedgerRecord[] = [];
  const reload = async (): Promise<void> => {
    records = await readLedger({ ...paths, publicKey: createPublicKey(key) });
  };
  await reload();
  const enter = async (entry: Parameters<Ledger["append"]>[0]): Promise<void> => {
    await withLedger(lock, open, async (ledger) => {
      const held = ledger
        .findBySerial(entry.serial)
        .some(({ kind, sha256 }) => kind === entry.kind && sha256 === entry.sha256);
      if (!held) await ledger.append(entry);
      records = [...ledger.records()];
    });
  };
  const has = (kind: LedgerRecord["kind"], serial: string): boolean =>
    records.some((record) => record.kind === kind && record.serial === serial);
  const revoke = async (entry: Parameters<Ledger["append"]>[0]): Promise<SecurityEvent | undefined> => {
    if (has("revoked", entry.serial)) return undefined;
    await enter(entry);
    return {
      kind: "CERT_REVOKED",
      time: clock().toISOString(),
      tenant,
      actor: entry.actor,
      sourceAddress: null,
      object: entry.serial,
      reason: entry.reason,
      count: 1,
      correlationId: null,
    };
  };
  return {
    reload,
    async issued(certPem, actor) {
      const entry = entryOf(certPem, { kind: "issued", actor, reason: "host" });
      if (!has("issued", entry.serial)) await enter(entry);
    },
    revoked: (certPem, reason, actor) => revoke(entryOf(certPem, { kind: "revoked", actor, reason })),
    async revokedBySerial(serial, reason, actor) {
      const issued = records.find((record) => record.kind === "issued" && record.serial === serial);
      if (issued === undefined) return undefined;
      const { seq: _seq, prev: _prev, at: _at, ...entry } = issued;
      return revoke({ ...entry, kind: "revoked", actor, reason });
    },
    revocations: () =>
      records
        .filter(({ kind }) => kind === "revoked")
        .map(({ serial, subject, issuer, at, reason, notAfter }) => ({
          serial,
          subject,
          issuer,
          at: new Date(at),
          reason: reason as RevocationReason,
          notAfter: new Date(notAfter),
        })),
    isRevoked: (serial) => has("revoked", serial),
    gatewaysIssued: (at) => {
      const held = records.filter(
        (record) =>
          record.kind === "issued" &&
          record.class === "gateways" &&
          Date.parse(record.notAfter) > at.getTime() &&
          !has("revoked", record.serial),
      );
      return [...new Set(held.map(({ subject }) => subject))];
    },
    records: () => records,
    find: (serial) => records.filter((record) => record.serial === serial),
  };
}

/** Public half of the key that signs the ledger's heads. */
export function auditPublicKey(dir: string): KeyObject {
  return createPublicKey(readFileSync(join(dir, LEDGER_FILES.key)));
}

/**
 * The key that signs heads. It is kept when the ledger's first head is: a key without a ledger is a ledger that somebody took
 * away.
 */
async function auditKey({ dir, files, clock }: HostLedgerPlace, paths: LedgerPaths): Promise<KeyObject> {
  const path = join(dir, LEDGER_FILES.key);
  if (existsSync(path)) {
    if (existsSync(paths.headFile)) return createPrivateKey(readFileSync(path));
    throw certsErrors.error("LEDGER_CORRUPT", `"${path}" is there, and "${paths.headFile}" is not`, { path: "ledger" });
  }
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // Of a first run that died before it kept its key.
  if (!existsSync(paths.file) || readFileSync(paths.file, "utf8") === "") files.remove(paths.headFile);
  (await openLedger({ ...paths, signingKey: privateKey, clock })).close();
  files.write(path, privateKey.export({ format: "pem", type: "pkcs8" }).toString());
  return privateKey;
}

/** Longest wait for another program that enters something, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

/** Opens the ledger for one entry, alone. */
async function withLedger(
  lockFile: string,
  open: () => Promise<Ledger>,
  work: (ledger: Ledger) => Promise<void>,
): Promise<void> {
  const unlock = await lockWithin(lockFile, LOCK_WAIT_MS);
  try {
    const ledger = await open();
    await work(ledger).finally(ledger.close);
  } finally {
    unlock();
  }
}

/** The value of an attribute of a name that Node prints one a line. */
export function attributeOf(name: string, attribute: string): string {
  const line = name.split("\n").find((each) => each.startsWith(`${attribute}=`));
  return line?.slice(attribute.length + 1) ?? "";
}
