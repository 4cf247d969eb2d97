import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { envelopeDigest } from "../../../protocol/envelope.ts";
import { encodeReceipts } from "../../../protocol/receipt.ts";
import type { Verdict } from "../../../protocol/verdict.ts";
import { type Counters, createCounters } from "../counters.ts";
import { openDatabase } from "../store/database.ts";
import { createGroupCommit } from "../store/group-commit.ts";
import { createSpool, type Spool } from "../store/spool.ts";
import { createForwarder, type Forwarder } from "./forwarder.ts";

const message = (n: number) => Buffer.alloc(100, n);
let folder: string;
let database: DatabaseSync;
let spool: Spool;
let counters: Counters;
let forwarder: Forwarder;
let sent: number[];
let errors: unknown[];
let time: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-forward-"));
  database = openDatabase(folder);
  spool = createSpool(database, { maxBytes: 100_000, freeBytes: () => Number.POSITIVE_INFINITY });
  [counters, sent, errors, time] = [createCounters(), [], [], 0];
  forwarder = createForwarder({
    spool,
    commit: createGroupCommit(database, spool.undone),
    counters,
    publish: (_, bytes) => sent.push(bytes[0] ?? -1),
    inFlightMax: 3,
    receiptTimeoutMs: 30_000,
    now: () => time,
    onError: (error) => errors.push(error),
  });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function fill(...numbers: number[]): void {
  for (const n of numbers) spool.add("0123a1a2a3a4a5a6ee", envelopeDigest(message(n)), message(n));
  forwarder.wake();
}
const receipts = (...pairs: [number, Verdict][]) =>
  forwarder.takeReceipts(
    encodeReceipts(pairs.map(([n, verdict]) => [envelopeDigest(message(n)).subarray(0, 16), verdict])),
  );

it("sends nothing before it is connected, then the oldest first", () => {
  fill(1, 2);
  expect(sent).toEqual([]);
  forwarder.connected();
  expect(sent).toEqual([1, 2]);
});

it("has no more on the way than its bound, and goes on as receipts come", async () => {
  forwarder.connected();
  fill(1, 2, 3, 4, 5);
  expect([sent, forwarder.inFlight()]).toEqual([[1, 2, 3], 3]);
  await receipts([2, "accepted"], [1, "duplicate"]);
  expect([sent, forwarder.inFlight()]).toEqual([[1, 2, 3, 4, 5], 3]);
  expect(counters.receipts).toEqual({ accepted: 1, duplicate: 1 });
});

it("ends a row at a receipt with a rejection too, and counts it by its verdict", async () => {
  forwarder.connected();
  fill(1);
  await receipts([1, "bad-payload"]);
  expect([spool.count(), counters.receipts]).toEqual([0, { "bad-payload": 1 }]);
});

it("ignores a receipt for what it does not hold, and one that comes twice", async () => {
  forwarder.connected();
  fill(1);
  await receipts([9, "accepted"]);
  await receipts([1, "accepted"]);
  await receipts([1, "accepted"]);
  expect([spool.count(), counters.unknownReceipts, counters.receipts]).toEqual([0, 2, { accepted: 1 }]);
});

it.each([
  ["that is no CBOR", Buffer.from("nonsense")],
  ["with a short digest", Buffer.from("818243aabbcc00", "hex")],
  [
    "with a verdict that does not exist",
    Buffer.concat([Buffer.from("818250", "hex"), Buffer.alloc(16), Buffer.of(11)]),
  ],
])("ignores a receipt message %s", async (_, bytes) => {
  forwarder.connected();
  fill(1);
  await forwarder.takeReceipts(bytes);
  expect([spool.count(), errors.length]).toEqual([1, 1]);
});

it("sends again what has had no receipt for the time-out, and not earlier", () => {
  forwarder.connected();
  fill(1);
  time = 29_999;
  forwarder.resendOverdue();
  expect(sent).toEqual([1]);
  time = 30_000;
  forwarder.resendOverdue();
  forwarder.resendOverdue();
  expect(sent).toEqual([1, 1]);
});

it("sends everything again after a reconnect, and nothing while the broker is away", () => {
  forwarder.connected();
  fill(1, 2);
  forwarder.disconnected();
  fill(3);
  time = 60_000;
  forwarder.resendOverdue();
  expect(sent).toEqual([1, 2]);
  forwarder.connected();
  expect(sent).toEqual([1, 2, 1, 2, 3]);
});

it("takes a receipt that comes before it sent anything again", async () => {
  fill(1);
  await receipts([1, "accepted"]);
  forwarder.connected();
  expect([sent, spool.count()]).toEqual([[], 0]);
});

it("keeps a row whose end could not be written, and sends it again", async () => {
  forwarder.connected();
  fill(1);
  database.exec("CREATE TRIGGER full BEFORE DELETE ON spool BEGIN SELECT RAISE(ABORT, 'disk'); END");
  await receipts([1, "accepted"]);
  expect([spool.count(), forwarder.inFlight(), counters.receipts, errors.length]).toEqual([1, 1, {}, 1]);
  database.exec("DROP TRIGGER full");
  time = 30_000;
  forwarder.resendOverdue();
  expect(sent).toEqual([1, 1]);
});
