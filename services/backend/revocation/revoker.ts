import type { DatabaseSync } from "node:sqlite";
import { readCrl } from "../../../certs/crl.ts";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import type { SecurityEvents } from "../../runtime/security-events.ts";
import type { Issuers } from "../enrolment/issuing.ts";
import { type Journal, journalOnce, recordEntry, type Serially } from "../journal.ts";
import { transaction } from "../registry/database.ts";
import { findCertificate, revokeCertificate } from "./certificates.ts";
import type { Crls, TakenCrl } from "./crls.ts";
import { reasonOf } from "./reasons.ts";

/** Brings what is revoked here into the revocation lists, and what the lists revoke in here. */
export interface Revoker {
  /**
   * Has the issuers revoke what is revoked here and in no list yet, and takes their newest lists. An issuer that does not
   * answer is asked again at the next call; what it would say stays refused here meanwhile.
   */
  readonly run: () => Promise<void>;
  /** Takes a list, and revokes here what it names. @throws CRL_REFUSED, CRL_ISSUER_UNKNOWN */
  readonly take: (pem: string, actor: string) => Promise<TakenCrl>;
  /** Certificates that an issuer's own list revoked, and nobody had asked the backend for it. */
  readonly unordered: () => number;
}

/** What {@link createRevoker} works with. */
export interface RevokerOptions {
  readonly db: DatabaseSync;
  readonly issuers: Issuers;
  readonly crls: Crls;
  readonly journal: Journal;
  readonly serially: Serially;
  readonly events: Pick<SecurityEvents, "emit">;
  readonly log: { readonly warn: (fields: object, message: string) => void };
  readonly now: () => number;
}

/** Revocation between the registry and the issuers. */
export function createRevoker(options: RevokerOptions): Revoker {
  const { db, issuers, crls, events, log } = options;
  let unordered = 0;
  const take = async (pem: string, actor: string): Promise<TakenCrl & { readonly adopted: number }> => {
    const taken = takeOrReport(options, pem, actor);
    const adopted = await adopt(options, taken);
    if (taken.isNew)
      events.emit({ kind: "CRL_PUBLISHED", actor, object: taken.issuer, reason: `number ${taken.number}` });
    return { ...taken, adopted };
  };
  return {
    take,
    unordered: () => unordered,
    run: async () => {
      for (const [leafClass, issuer] of Object.entries(issuers)) {
        try {
          const pending = pendingOf(db, leafClass).filter(({ issuer: name, serial }) => !crls.names(name, serial));
          for (const { serial, reason } of pending) await issuer.revoke(serial, reasonOf(reason));
          const taken = await take(await issuer.crl(), `${leafClass}-ca`);
          unordered += taken.adopted + (await reportUnknown(options, taken, leafClass));
        } catch (thrown) {
          log.warn({ issuer: `${leafClass}-ca`, reason: messageOf(thrown) }, "cannot take the issuer's revocations");
        }
      }
    },
  };
}

function takeOrReport({ crls, events }: RevokerOptions, pem: string, actor: string): TakenCrl {
  try {
    return crls.take(pem);
  } catch (thrown) {
    const reason = thrown instanceof TrustKernError ? thrown.code : "CRL_REFUSED";
    events.emit({ kind: "CRL_REJECTED", actor, object: "crl", reason });
    throw thrown;
  }
}

/**
 * What a list names is revoked here too, whoever had it revoked: somebody else than the backend may have, and the safe side
 * is to believe it, and to say so. Gives how many there were.
 */
async function adopt(
  { db, crls, journal, serially, events, now }: RevokerOptions,
  { issuer }: TakenCrl,
): Promise<number> {
  const foreign = crls.serialsOf(issuer).flatMap((serial) => {
    const found = findCertificate(db, serial);
    return found && found.state !== "revoked" && found.issuer === issuer ? [found] : [];
  });
  for (const record of foreign) {
    await serially(async () => {
      await journalOnce(journal, recordEntry(record, { kind: "revoked", actor: issuer, reason: "listed" }));
      transaction(db, () => revokeCertificate(db, record.serial, "unspecified", now()));
    });
    events.emit({ kind: "CERT_REVOKED", actor: issuer, object: record.serial, reason: "listed and not revoked here" });
  }
  return foreign.length;
}

/**
 * Everything that an online issuer issues or revokes, the backend knows. What its list names and nobody has heard of was
 * revoked by somebody else: each is an event once, also over a restart, since it is journalled. Gives how many there were.
 */
async function reportUnknown(
  { db, journal, serially, events }: RevokerOptions,
  { issuer, pem }: TakenCrl,
  leafClass: string,
): Promise<number> {
  const isTold = (serial: string): boolean => journal.find(serial).some(({ kind }) => kind === "revoked");
  const listed = readCrl(pem).revoked.map(({ serial }) => serial);
  const unknown = listed.filter((serial) => findCertificate(db, serial) === undefined && !isTold(serial));
  for (const serial of unknown) {
    const entry = { serial, issuer, subject: "", class: leafClass, notAfter: "", sha256: "" };
    await serially(() => journalOnce(journal, { ...entry, kind: "revoked", actor: issuer, reason: "listed" }));
    events.emit({ kind: "CERT_REVOKED", actor: issuer, object: serial, reason: "listed and unknown here" });
  }
  return unknown.length;
}

function pendingOf(db: DatabaseSync, leafClass: string) {
  const rows = db
    .prepare("SELECT serial, issuer, reason FROM certificate WHERE class = ? AND state = 'revoked' ORDER BY revoked_at")
    .all(leafClass);
  return rows.map(({ serial, issuer, reason }) => ({
    serial: String(serial),
    issuer: String(issuer),
    reason: String(reason),
  }));
}
