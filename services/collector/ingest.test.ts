import { beforeEach, describe, expect, it } from "vitest";
import { decodeReceipts } from "../../protocol/receipt.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { type CollectorCounters, createCounters } from "./counters.ts";
import { createIngest, type Entry, entriesOf, type Ingest } from "./ingest.ts";
import type { Message } from "./intake/queue.ts";
import type { Occurrence } from "./security-log.ts";
import type { Store } from "./store.ts";
import type { StoreResult } from "./store-types.ts";

const EVENT: SecurityEvent = {
  kind: "INGEST_REJECTED",
  time: "2026-01-01T00:00:00.000Z",
  tenant: "acme",
  actor: "gw-a",
  sourceAddress: null,
  object: "s1",
  reason: "malformed",
  count: 1,
  correlationId: null,
};
const ACCEPTED: StoreResult = { verdict: "accepted", late: false };
const message = (gateway: string): Message => ({
  gateway,
  sensorId: "00".repeat(9),
  bytes: Buffer.of(1),
  receivedAtMs: 1,
});
const fields = { bootId: 1, seq: 1, timestamp: 0, flags: 0, keyId: Buffer.alloc(8), payload: Buffer.from("{}") };
const row = (n: number, gateway = "gw-a"): Entry => ({
  message: message(gateway),
  digest: Buffer.alloc(32, n),
  fields,
  allowlistVersion: 1,
});
const reject = (n: number): Entry => ({
  message: message("gw-a"),
  digest: Buffer.alloc(32, n),
  verdict: "bad-signature",
});

let store: Store["storeBatch"];
let done: string[];
let receipts: { gateway: string; pairs: [number, string][] }[];
let recorded: Occurrence[];
let stored: (readonly SecurityEvent[])[];
let counters: CollectorCounters;
let ingest: Ingest;

beforeEach(() => {
  [done, receipts, recorded, stored] = [[], [], [], []];
  counters = createCounters();
  store = async (rows) => rows.map(() => ACCEPTED);
  ingest = createIngest({
    store: {
      storeBatch: async (rows, rejects, context) => {
        stored.push(context.events);
        const results = await store(rows, rejects, context);
        done.push("commit");
        return results;
      },
    },
    queue: { release: (messages) => done.push(`release ${messages.length}`) },
    counters,
    security: { record: (occurrence) => recorded.push(occurrence) },
    sendReceipts: (gateway, bytes) => {
      done.push("receipt");
      receipts.push({ gateway, pairs: decodeReceipts(bytes).map(([digest, verdict]) => [digest[0] ?? -1, verdict]) });
    },
    now: () => 1,
  });
});

describe("ingest", () => {
  it("sends a receipt for every entry, to its own gateway, after the commit", async () => {
    await ingest.write([row(1), reject(2), row(3, "gw-b")]);
    expect(done).toEqual(["commit", "receipt", "receipt", "release 3"]);
    expect(receipts).toEqual([
      {
        gateway: "gw-a",
        pairs: [
          [1, "accepted"],
          [2, "bad-signature"],
        ],
      },
      { gateway: "gw-b", pairs: [[3, "accepted"]] },
    ]);
  });

  it("says, counts and releases nothing when the database fails", async () => {
    store = () => Promise.reject(new Error("away"));
    await expect(ingest.write([row(1), reject(2)])).rejects.toThrow("away");
    expect([done, receipts, recorded]).toEqual([[], [], []]);
    expect(counters).toEqual(createCounters());
  });

  it("passes on the verdict that the store gave, and counts late rows among the accepted", async () => {
    const results: StoreResult[] = [
      { verdict: "accepted", late: true },
      { verdict: "replay" },
      { verdict: "duplicate" },
      { verdict: "bad-payload" },
    ];
    store = async () => results;
    await ingest.write([row(1), row(2), row(3), row(4)]);
    expect(receipts[0]?.pairs.map(([, verdict]) => verdict)).toEqual([
      "accepted",
      "replay",
      "duplicate",
      "bad-payload",
    ]);
    expect(counters).toMatchObject({ accepted: 1, late: 1, rejected: { replay: 1, duplicate: 1, "bad-payload": 1 } });
  });

  it("records every rejection with its digest, but no duplicate: that is what a lost receipt looks like", async () => {
    store = async () => [{ verdict: "duplicate" }];
    await ingest.write([row(1), reject(2)]);
    expect(recorded).toEqual([
      {
        kind: "INGEST_REJECTED",
        actor: "gw-a",
        object: "00".repeat(9),
        reason: "bad-signature",
        digest: "02".repeat(32),
      },
    ]);
  });

  it("never puts more than 1000 pairs into one receipt message", async () => {
    await ingest.write(Array.from({ length: 2001 }, () => row(1)));
    expect(receipts.map(({ pairs }) => pairs.length)).toEqual([1000, 1000, 1]);
  });

  it("takes events along once, and again when the batch failed", async () => {
    ingest.addEvent(EVENT);
    store = () => Promise.reject(new Error("away"));
    await expect(ingest.write([])).rejects.toThrow();
    store = async () => [];
    await ingest.write([]);
    await ingest.write([]);
    expect(stored).toEqual([[EVENT], [EVENT], []]);
    expect(ingest.hasEvents()).toBe(false);
  });

  it("keeps an event that came while a batch was written", async () => {
    store = async () => {
      ingest.addEvent(EVENT);
      return [];
    };
    await ingest.write([]);
    expect(ingest.hasEvents()).toBe(true);
  });
});

describe("entriesOf", () => {
  it("makes rows of what passed, rejects of what did not, and nothing of what has no verdict", () => {
    const digest = Buffer.alloc(32);
    const results = [
      { outcome: "accepted", digest, fields } as const,
      { outcome: "malformed", digest } as const,
      { outcome: "unlisted", digest } as const,
      { outcome: "fault", digest } as const,
    ];
    const entries = entriesOf({ messages: results.map(() => message("gw-a")), results, allowlistVersion: 4 });
    expect(entries).toMatchObject([{ fields, allowlistVersion: 4 }, { verdict: "malformed" }]);
    expect(entries).toHaveLength(2);
  });
});
