import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Allowlist, AllowlistEntry } from "../../../protocol/allowlist.ts";
import { p256Signer, signEnvelope } from "../../../protocol/signature.ts";
import { openDatabase } from "../store/database.ts";
import { createGroupCommit } from "../store/group-commit.ts";
import { createQuarantine } from "../store/quarantine.ts";
import { createReplayStore } from "../store/replay-store.ts";
import { createSpool, type Spool } from "../store/spool.ts";
import { createIntake, type Intake } from "./intake.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const id = randomBytes(9);
const plenty = () => Number.POSITIVE_INFINITY;
let folder: string;
let database: DatabaseSync;
let spool: Spool;
let intake: Intake;
let entry: AllowlistEntry;
let tooOld: boolean;
let hasList: boolean;
let errors: unknown[];

function open(): void {
  database = openDatabase(folder);
  spool = createSpool(database, { maxBytes: 2000, freeBytes: plenty });
  const quarantine = createQuarantine(database, { maxBytes: 10_000, freeBytes: plenty });
  const list = (): Allowlist =>
    ({ entries: new Map([[id.toString("hex"), entry]]), document: {} }) as unknown as Allowlist;
  const trust = { current: () => (hasList ? list() : undefined), isTooOld: () => tooOld };
  const commit = createGroupCommit(database, () => {
    spool.undone();
    quarantine.undone();
  });
  const replay = createReplayStore(database);
  intake = createIntake({ trust, commit, spool, replay, quarantine, now: () => 5, onError: (e) => errors.push(e) });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-intake-"));
  [entry, tooOld, hasList, errors] = [{ kind: "known", publicKey, maker: "acme" }, false, true, []];
  open();
});
afterEach(() => {
  if (database.isOpen) database.close();
  rmSync(folder, { recursive: true });
});

function envelope(bootId: number, seq: number, sensorId: Uint8Array = id, length = 64): Promise<Uint8Array> {
  const head = { version: 1, sensorId, bootId, seq, timestamp: 0, flags: 1, keyId: Buffer.alloc(8) };
  return signEnvelope({ ...head, ciphertext: randomBytes(length) }, p256Signer(privateKey));
}
async function take(bytes: Uint8Array): Promise<string> {
  const result = await intake(bytes, "10.0.0.1");
  if (result.kind === "accepted") return "accepted";
  return result.kind === "rejected" ? result.verdict : result.reason;
}
const forged = async (bytes: Uint8Array) =>
  Uint8Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
const quarantined = () => database.prepare("SELECT verdict, source, received_at_ms FROM quarantine").all();

it("accepts a sequence number once, and calls the same bytes a duplicate that is kept nowhere else", async () => {
  const bytes = await envelope(1, 1);
  expect([await take(bytes), await take(bytes), await take(await envelope(1, 1))]).toEqual([
    "accepted",
    "duplicate",
    "replay",
  ]);
  expect(spool.count()).toBe(1);
  expect(quarantined()).toEqual([{ verdict: "replay", source: "10.0.0.1", received_at_ms: 5 }]);
});

it("decides alike when the same bytes arrive many times at once", async () => {
  const bytes = await envelope(1, 1);
  const verdicts = await Promise.all(Array.from({ length: 20 }, () => take(bytes)));
  expect(verdicts.filter((verdict) => verdict === "accepted")).toHaveLength(1);
  expect(verdicts.filter((verdict) => verdict === "duplicate")).toHaveLength(19);
});

it("keeps the window over a restart", async () => {
  await take(await envelope(3, 100));
  database.close();
  open();
  expect(await take(await envelope(3, 36))).toBe("replay");
  expect(await take(await envelope(3, 37))).toBe("accepted");
  expect(await take(await envelope(2, 4000))).toBe("replay");
});

it.each([
  ["a forged envelope", async () => forged(await envelope(4_294_967_295, 1)), "bad-signature"],
  ["an envelope of an unknown sensor", () => envelope(4_294_967_295, 1, randomBytes(9)), "unknown-sensor"],
  ["garbage", async () => randomBytes(200), "malformed"],
  ["nothing", async () => new Uint8Array(), "malformed"],
])("does not let %s push a sensor forward", async (_, make, verdict) => {
  expect(await take(await make())).toBe(verdict);
  expect(await take(await envelope(1, 1))).toBe("accepted");
});

it("calls a revoked sensor revoked before it looks at its signature", async () => {
  entry = { kind: "revoked" };
  expect(await take(await forged(await envelope(1, 1)))).toBe("revoked-sensor");
});

it("says nothing about an envelope while it has no allowlist, but knows garbage", async () => {
  hasList = false;
  expect([await take(await envelope(1, 1)), await take(randomBytes(99))]).toEqual(["no-allowlist", "malformed"]);
  expect(quarantined()).toHaveLength(1);
});

it("takes no new sensor with an allowlist that is too old, and goes on with one it knows", async () => {
  await take(await envelope(1, 1));
  tooOld = true;
  expect(await take(await envelope(1, 2))).toBe("accepted");
  expect(await take(await envelope(1, 1, randomBytes(9)))).toBe("allowlist-too-old");
  expect(await take(await forged(await envelope(1, 3)))).toBe("bad-signature");
  entry = { kind: "revoked" };
  expect(await take(await envelope(1, 3))).toBe("revoked-sensor");
});

it("moves no window for an envelope that the spool had no room for", async () => {
  const [first, second] = [await envelope(1, 1, id, 1200), await envelope(1, 2, id, 1200)];
  expect([await take(first), await take(second), await take(first)]).toEqual(["accepted", "spool-full", "duplicate"]);
  database.exec("DELETE FROM spool");
  spool.undone();
  expect(await take(second)).toBe("accepted");
});

it("moves no window when the database fails, and has no verdict then", async () => {
  const bytes = await envelope(1, 1);
  database.exec("CREATE TRIGGER full BEFORE INSERT ON spool BEGIN SELECT RAISE(ABORT, 'disk'); END");
  expect(await take(bytes)).toBe("database");
  expect(errors).toHaveLength(1);
  database.exec("DROP TRIGGER full");
  expect(await take(bytes)).toBe("accepted");
});

it("rejects what it cannot quarantine all the same", async () => {
  database.exec("DROP TABLE quarantine");
  expect(await take(randomBytes(50))).toBe("malformed");
  expect(errors).toHaveLength(1);
});
