import { createPublicKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NO_RECORD } from "../../certs/ledger/record.ts";
import { FindingList } from "./findings.ts";
import { placeEntry, renderRecord } from "./record.ts";
import { segmentName } from "./segments.ts";
import { type Session, startSession } from "./session.ts";
import { type TestLog, testLog } from "./test-log.ts";
import { LogWalk } from "./walk.ts";

const PLACE = { seq: 1, prev: NO_RECORD };
let log: TestLog;
let stranger: TestLog;
beforeAll(async () => {
  [log, stranger] = [await testLog(), await testLog()];
});
afterAll(() => {
  log.remove();
  stranger.remove();
});

/** Walks a log whose one record, in the first place, begins a session: with that vouch, and that public key. */
async function walk({ vouch }: Session, { claim }: Session): Promise<{ codes: readonly string[]; vouched: boolean }> {
  const detail = { publicKey: claim.publicKey, vouch, cutBytes: 0 };
  const record = placeEntry(
    { kind: "session", actor: "custody", detail },
    { ...PLACE, at: "2026-11-21T08:00:00.000Z" },
  );
  writeFileSync(join(log.folder, segmentName(1)), `${renderRecord(record)}\n`);
  const findings = new FindingList();
  const publicKey = createPublicKey({ key: log.signer.publicKeySpki, format: "der", type: "spki" });
  const walked = new LogWalk({ publicKey, findings, wanted: [] });
  await walked.read(log.folder, { name: segmentName(1), first: 1 });
  return { codes: findings.all.map(({ code }) => code), vouched: walked.sessionOf(1) !== undefined };
}

test("takes a session that the store vouches for in its place", async () => {
  const session = await startSession(log.signer, PLACE);
  expect(await walk(session, session)).toEqual({ codes: [], vouched: true });
});

test.each<readonly [string, () => Promise<Session>]>([
  ["in another place", () => startSession(log.signer, { ...PLACE, seq: 2 })],
  ["after another record", () => startSession(log.signer, { ...PLACE, prev: "11".repeat(32) })],
  ["by another store", () => startSession(stranger.signer, PLACE)],
])("takes no session that is vouched for %s", async (_, start) => {
  const session = await start();
  expect(await walk(session, session)).toEqual({ codes: ["AUDIT_SESSION"], vouched: false });
});

test("takes no session with another key than the one that is vouched for", async () => {
  const [session, other] = [await startSession(log.signer, PLACE), await startSession(log.signer, PLACE)];
  expect(await walk(session, other)).toEqual({ codes: ["AUDIT_SESSION"], vouched: false });
});
