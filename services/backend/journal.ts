import type { LedgerEntry } from "../../certs/ledger/record.ts";

/** The hash-chained log of certificates. */
export interface Journal {
  /** Resolves when the entry is on the disk: before what it says is done, so that nothing is done that it does not say. */
  readonly append: (entry: LedgerEntry) => Promise<void>;
  /** All of it, and its signed head. */
  readonly read: () => { readonly ledger: string; readonly head: string };
  readonly close: () => void;
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
