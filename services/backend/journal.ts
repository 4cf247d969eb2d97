import type { LedgerEntry } from "../../certs/ledger/record.ts";
import type { CertificateRecord } from "./revocation/certificates.ts";
import type { VerifiedChain } from "./revocation/chain.ts";

/** The hash-chained log of certificates. */
export interface Journal {
  /** Resolves when the entry is on the disk: before what it says is done, so that nothing is done that it does not say. */
  readonly append: (entry: LedgerEntry) => Promise<void>;
  /** Entries of one certificate, in order. */
  readonly find: (serial: string) => readonly LedgerEntry[];
  /** Every entry, in order. */
  readonly entries: () => readonly LedgerEntry[];
  /** All of it, and its signed head. */
  readonly read: () => { readonly ledger: string; readonly head: string };
  readonly close: () => void;
}

/** Adds an entry, unless the certificate has one of that kind: a change that was cut short after its entry is repeated. */
export async function journalOnce(journal: Journal, entry: LedgerEntry): Promise<void> {
  if (!journal.find(entry.serial).some(({ kind }) => kind === entry.kind)) await journal.append(entry);
}

/** The entry of a certificate on record. */
export function recordEntry(
  { serial, issuer, name, leafClass, notAfterMs, sha256 }: CertificateRecord,
  happening: Pick<LedgerEntry, "kind" | "actor" | "reason">,
): LedgerEntry {
  const notAfter = new Date(notAfterMs).toISOString();
  return { ...happening, serial, issuer, subject: name, class: leafClass, notAfter, sha256: sha256 ?? "" };
}

/** The entry of a certificate that is not on record yet. */
export function chainEntry(
  { serial, authority, name, leafClass, notAfterMs, sha256 }: VerifiedChain,
  happening: Pick<LedgerEntry, "kind" | "actor" | "reason">,
): LedgerEntry {
  const notAfter = new Date(notAfterMs).toISOString();
  return { ...happening, serial, issuer: authority.name, subject: name, class: leafClass, notAfter, sha256 };
}

/** Runs what changes certificates one after the other, so that nothing comes between a decision and its record. */
export type Serially = <T>(change: () => Promise<T>) => Promise<T>;

/** A queue of one. */
export function createSerially(): Serially {
  let last: Promise<unknown> = Promise.resolve();
  return (change) => {
    const next = last.then(change, change);
    last = next.catch(() => undefined);
    return next;
  };
}
