import { hexOf } from "../../protocol/hex.ts";
import { encodeReceipts, RECEIPT_MAX_PAIRS, type Receipt } from "../../protocol/receipt.ts";
import type { Verdict } from "../../protocol/verdict.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import type { CollectorCounters } from "./counters.ts";
import type { IntakeQueue } from "./intake/queue.ts";
import type { SecurityLog } from "./security-log.ts";
import type { Store } from "./store.ts";
import type { RejectRow, StoreRow } from "./store-types.ts";
import { receiptDigest } from "./verify/packing.ts";
import type { CheckedBatch } from "./verify/pool.ts";

/** A message with what its checks came to. */
export type Entry = StoreRow | RejectRow;

/** What {@link createIngest} works with. */
export interface IngestOptions {
  readonly store: Pick<Store, "storeBatch">;
  readonly queue: Pick<IntakeQueue, "release">;
  readonly counters: CollectorCounters;
  readonly security: Pick<SecurityLog, "record">;
  readonly sendReceipts: (gateway: string, receipts: Uint8Array) => void;
  readonly now: () => number;
}

/** Stores batches, and says so to the gateways once they are committed. */
export interface Ingest {
  /** Stores entries in one transaction; then counts them, sends their receipts and gives their room back. May be repeated. */
  readonly write: (entries: readonly Entry[]) => Promise<void>;
  /** Takes an event to the database with the next batch. */
  readonly addEvent: (event: SecurityEvent) => void;
  /** Whether events wait for a batch. */
  readonly hasEvents: () => boolean;
}

/** Events that wait for the database; what goes beyond is in the log alone. */
const MAX_EVENTS = 10_000;

/** The entries of a batch whose results are all verdicts. */
export function entriesOf({ messages, results, allowlistVersion }: CheckedBatch): readonly Entry[] {
  return messages.flatMap((message, index): readonly Entry[] => {
    const result = results[index];
    if (result === undefined || result.outcome === "unlisted" || result.outcome === "fault") return [];
    const { digest } = result;
    return result.outcome === "accepted"
      ? [{ message, digest, fields: result.fields, allowlistVersion }]
      : [{ message, digest, verdict: result.outcome }];
  });
}

/** No receipt leaves before the commit. */
export function createIngest({ store, queue, counters, security, sendReceipts, now }: IngestOptions): Ingest {
  let events: readonly SecurityEvent[] = [];

  function count({ message, digest }: Entry, verdict: Verdict, late: boolean): void {
    if (verdict === "accepted") {
      counters.accepted += 1;
      if (late) counters.late += 1;
      return;
    }
    counters.rejected[verdict] = (counters.rejected[verdict] ?? 0) + 1;
    // A repeat of what is stored is what receipts that got lost look like, and no attack.
    if (verdict === "duplicate") return;
    const { gateway, sensorId } = message;
    security.record({
      kind: "INGEST_REJECTED",
      actor: gateway,
      object: sensorId,
      reason: verdict,
      digest: hexOf(digest),
    });
  }

  return {
    write: async (entries) => {
      const rows = entries.filter((entry) => "fields" in entry);
      const rejects = entries.filter((entry) => "verdict" in entry);
      const taken = events;
      const results = await store.storeBatch(rows, rejects, { nowMs: now(), events: taken });
      events = events.slice(taken.length);
      counters.batches += 1;
      const receipts = new Map<string, Receipt[]>();
      const settle = (entry: Entry, verdict: Verdict, late: boolean): void => {
        count(entry, verdict, late);
        const receipt: Receipt = [receiptDigest(entry.digest), verdict];
        const { gateway } = entry.message;
        const own = receipts.get(gateway);
        if (own) own.push(receipt);
        else receipts.set(gateway, [receipt]);
      };
      rows.forEach((row, index) => {
        const result = results[index];
        if (!result) throw new Error("the store gave no result for a row");
        settle(row, result.verdict, result.verdict === "accepted" && result.late);
      });
      for (const reject of rejects) settle(reject, reject.verdict, false);
      for (const [gateway, pairs] of receipts)
        for (let at = 0; at < pairs.length; at += RECEIPT_MAX_PAIRS)
          sendReceipts(gateway, encodeReceipts(pairs.slice(at, at + RECEIPT_MAX_PAIRS)));
      counters.receipts += entries.length;
      queue.release(entries.map(({ message }) => message));
    },
    addEvent: (event) => {
      if (events.length < MAX_EVENTS) events = [...events, event];
    },
    hasEvents: () => events.length > 0,
  };
}
