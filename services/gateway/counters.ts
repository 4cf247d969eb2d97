import type { Rejection, Verdict } from "../../protocol/verdict.ts";

/** What happened since the gateway's start. */
export interface Counters {
  accepted: number;
  /** Requests that were answered 5.03. */
  unavailable: number;
  /** Datagrams that were dropped for their number. */
  flooded: number;
  /** A `duplicate` was answered 2.04; all else 4.00. */
  readonly rejected: Partial<Record<Rejection, number>>;
  /** Receipts that ended a row. */
  readonly receipts: Partial<Record<Verdict, number>>;
  /** Receipts for a digest that the spool does not hold. */
  unknownReceipts: number;
}

/** Counters at zero. */
export function createCounters(): Counters {
  return { accepted: 0, unavailable: 0, flooded: 0, rejected: {}, receipts: {}, unknownReceipts: 0 };
}

/** Adds one to a counter of a table. */
export function count<K extends string>(table: Partial<Record<K, number>>, key: K): void {
  table[key] = (table[key] ?? 0) + 1;
}
