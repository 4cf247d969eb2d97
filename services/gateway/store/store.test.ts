import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { envelopeDigest } from "../../../protocol/envelope.ts";
import { createFreeBytes, openDatabase } from "./database.ts";
import { createGroupCommit } from "./group-commit.ts";
import { createQuarantine } from "./quarantine.ts";
import { createReplayStore } from "./replay-store.ts";
import { createSpool } from "./spool.ts";

const plenty = () => Number.POSITIVE_INFINITY;
const sensor = "0123a1a2a3a4a5a6ee";
const message = (n: number, length = 100) => Buffer.alloc(length, n);
const receiptDigest = (bytes: Uint8Array) => envelopeDigest(bytes).subarray(0, 16);
let folder: string;
let database: DatabaseSync;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-store-"));
  database = openDatabase(folder);
});
afterEach(() => {
  if (database.isOpen) database.close();
  rmSync(folder, { recursive: true });
});

it("writes every commit through to the disk", () => {
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
});

it("refuses a damaged database, names the file, and leaves it as it is", () => {
  database.close();
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  const path = join(folder, "gateway.db");
  writeFileSync(path, "this is no database, it is a text that is long enough to be taken for one".repeat(20));
  const before = statSync(path).size;
  expect(() => openDatabase(folder)).toThrow(expect.objectContaining({ code: "GATEWAY_STATE_UNUSABLE", path }));
  expect(statSync(path).size).toBe(before);
});

it("gives the spool back in the order in which it was filled, also after a restart", () => {
  const spool = createSpool(database, { maxBytes: 1000, freeBytes: plenty });
  for (const n of [3, 1, 2]) spool.add(sensor, envelopeDigest(message(n)), message(n));
  database.close();
  database = openDatabase(folder);
  const again = createSpool(database, { maxBytes: 1000, freeBytes: plenty });
  expect(again.after(0, 10).map(({ bytes }) => bytes[0])).toEqual([3, 1, 2]);
  expect(again.count()).toBe(3);
});

it("adds nothing to a spool that is full, and takes again what a receipt made room for", () => {
  const spool = createSpool(database, { maxBytes: 250, freeBytes: plenty });
  const add = (n: number) => spool.add(sensor, envelopeDigest(message(n)), message(n));
  expect([add(1), add(2), add(3), spool.count()]).toEqual([true, true, false, 2]);
  expect(spool.remove(receiptDigest(message(1)))).toBe(true);
  expect(add(3)).toBe(true);
});

it("adds nothing when the disk is nearly full, so that receipts can still be written", () => {
  const spool = createSpool(database, { maxBytes: 1000, freeBytes: () => (1 << 20) - 1 });
  expect(spool.add(sensor, envelopeDigest(message(1)), message(1))).toBe(false);
});

it("counts what was freed inside the database as free", () => {
  const freeBytes = createFreeBytes(database, folder);
  const spool = createSpool(database, { maxBytes: 1 << 20, freeBytes: plenty });
  for (let n = 0; n < 50; n++) spool.add(sensor, envelopeDigest(message(n, 4000)), message(n, 4000));
  for (let n = 0; n < 50; n++) spool.remove(receiptDigest(message(n, 4000)));
  expect(Number(database.prepare("PRAGMA freelist_count").get()?.freelist_count)).toBeGreaterThan(20);
  expect(freeBytes()).toBeGreaterThan(0);
});

it("keeps one row for one digest", () => {
  const spool = createSpool(database, { maxBytes: 1000, freeBytes: plenty });
  for (let i = 0; i < 2; i++) spool.add(sensor, envelopeDigest(message(1)), message(1));
  expect(spool.count()).toBe(1);
});

it("ends no row for a digest that it does not hold", () => {
  const spool = createSpool(database, { maxBytes: 1000, freeBytes: plenty });
  spool.add(sensor, envelopeDigest(message(1)), message(1));
  expect(spool.remove(receiptDigest(message(2)))).toBe(false);
  expect(spool.remove(envelopeDigest(message(1)))).toBe(false);
  expect(spool.count()).toBe(1);
});

it("remembers a sensor's window, and knows whom it has never taken anything from", () => {
  const replay = createReplayStore(database);
  replay.save(sensor, { bootId: 7, highest: 9, digests: { 9: "aa" } });
  expect(replay.load(sensor)).toEqual({ bootId: 7, highest: 9, digests: { 9: "aa" } });
  expect([replay.knows(sensor), replay.knows("00")]).toEqual([true, false]);
});

it("keeps each quarantined digest once, the oldest goes first, and nothing that is larger than all of it", () => {
  const quarantine = createQuarantine(database, { maxBytes: 250, freeBytes: plenty });
  const add = (bytes: Uint8Array) =>
    quarantine.add({ receivedAtMs: 1, verdict: "malformed", source: "::1", digest: envelopeDigest(bytes), bytes });
  for (const bytes of [message(1), message(1), message(2), message(3), message(9, 251)]) add(bytes);
  const kept = database.prepare("SELECT bytes FROM quarantine ORDER BY id").all();
  expect(kept.map(({ bytes }) => (bytes as Uint8Array)[0])).toEqual([2, 3]);
  expect(quarantine.count()).toBe(2);
});

it("runs what arrives together in one transaction, each with its own result", async () => {
  const commit = createGroupCommit(database, () => undefined);
  let transactions = 0;
  const work = (n: number) => () => {
    if (n === 0) transactions += 1;
    return database.isTransaction && n;
  };
  expect(await Promise.all([0, 1, 2].map((n) => commit.run(work(n))))).toEqual([0, 1, 2]);
  expect(transactions).toBe(1);
});

it("undoes the whole transaction when one piece of work fails, tells each of them, and goes on", async () => {
  const spool = createSpool(database, { maxBytes: 1000, freeBytes: plenty });
  const commit = createGroupCommit(database, spool.undone);
  const add = commit.run(() => spool.add(sensor, envelopeDigest(message(1)), message(1)));
  const fail = commit.run(() => {
    throw new Error("disk");
  });
  const outcomes = await Promise.allSettled([add, fail]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(spool.after(0, 9)).toEqual([]);
  await commit.run(() => spool.remove(receiptDigest(message(9))));
  expect(spool.count()).toBe(0);
});

it("reports SQLITE_FULL to whoever waits, and works again once there is room", async () => {
  const spool = createSpool(database, { maxBytes: 1 << 20, freeBytes: plenty });
  const commit = createGroupCommit(database, spool.undone);
  const pages = Number(database.prepare("PRAGMA page_count").get()?.page_count);
  database.exec(`PRAGMA max_page_count = ${pages + 2}`);
  const add = (n: number) => commit.run(() => spool.add(sensor, envelopeDigest(message(n, 4000)), message(n, 4000)));
  const outcomes = await Promise.allSettled([add(1), add(2), add(3), add(4)]);
  expect(outcomes[0]).toMatchObject({ status: "rejected", reason: { errcode: 13 } });
  expect(spool.after(0, 9)).toEqual([]);
  database.exec("PRAGMA max_page_count = 10000");
  await expect(add(1)).resolves.toBe(true);
  expect(spool.count()).toBe(1);
});
