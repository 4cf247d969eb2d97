import { hexOf } from "../../../protocol/hex.ts";
import { decodeReceipts, type Receipt } from "../../../protocol/receipt.ts";
import { messageOf } from "../../../shared/errors.ts";
import { type Counters, count } from "../counters.ts";
import type { GroupCommit } from "../store/group-commit.ts";
import type { Spool, SpoolRow } from "../store/spool.ts";

/** Sends what is in the spool, and ends its rows when their receipts come. */
export interface Forwarder {
  /** The broker is there: everything in the spool is sent anew, oldest first. */
  readonly connected: () => void;
  readonly disconnected: () => void;
  /** Something was added to the spool. */
  readonly wake: () => void;
  /** Takes a receipt message. Bytes that are none are ignored and told to `onError`. */
  readonly takeReceipts: (bytes: Uint8Array) => Promise<void>;
  /** Sends again what has had no receipt for too long; to be called about once a second. */
  readonly resendOverdue: () => void;
  /** Envelopes on the way without a receipt. */
  readonly inFlight: () => number;
}

/** What {@link createForwarder} is handed. */
export interface ForwarderOptions {
  readonly spool: Spool;
  readonly commit: GroupCommit;
  readonly counters: Counters;
  readonly publish: (sensorId: string, bytes: Uint8Array) => void;
  readonly inFlightMax: number;
  readonly receiptTimeoutMs: number;
  /** Clock in milliseconds. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

const ROWS_AT_ONCE = 100;

/** Makes a {@link Forwarder} that is not connected yet. */
export function createForwarder(options: ForwarderOptions): Forwarder {
  const { spool, commit, counters, inFlightMax, receiptTimeoutMs, now } = options;
  const inFlight = new Map<string, { readonly id: number; sentAt: number }>();
  let online = false;
  /** Id of the newest row that was sent since the last connect. */
  let cursor = 0;

  function send({ id, digest, sensorId, bytes }: SpoolRow): void {
    inFlight.set(digest, { id, sentAt: now() });
    options.publish(sensorId, bytes);
  }

  function pump(): void {
    while (online && inFlight.size < inFlightMax) {
      const rows = spool.after(cursor, Math.min(ROWS_AT_ONCE, inFlightMax - inFlight.size));
      if (rows.length === 0) return;
      for (const row of rows) {
        cursor = row.id;
        send(row);
      }
    }
  }

  async function end([digest, verdict]: Receipt): Promise<void> {
    if (!(await commit.run(() => spool.remove(digest)))) {
      counters.unknownReceipts += 1;
      return;
    }
    inFlight.delete(hexOf(digest));
    count(counters.receipts, verdict);
  }

  return {
    connected() {
      online = true;
      cursor = 0;
      inFlight.clear();
      pump();
    },
    disconnected() {
      online = false;
    },
    wake: pump,
    async takeReceipts(bytes) {
      try {
        // A row whose end could not be written stays, and is sent again: the collector then says `duplicate`.
        await Promise.all(decodeReceipts(bytes).map(end));
      } catch (error) {
        options.onError(new Error(`receipts not taken: ${messageOf(error)}`, { cause: error }));
      }
      pump();
    },
    resendOverdue() {
      if (!online) return;
      for (const [digest, { id, sentAt }] of inFlight) {
        if (now() - sentAt < receiptTimeoutMs) continue;
        const row = spool.get(id);
        if (row) send(row);
        else inFlight.delete(digest);
      }
      pump();
    },
    inFlight: () => inFlight.size,
  };
}
