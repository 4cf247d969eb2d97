import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { openDatabase } from "../registry/database.ts";
import { createLockOut, LOCK_MS, type LockOut, MAX_FAILURES, WINDOW_MS } from "./lock-out.ts";

const gw = { tenant: "acme", name: "gw-01", address: "192.0.2.1" };
let nowMs: number;
let stateDir: string;
let lockOut: LockOut;
const now = (): number => nowMs;
const reopen = (): LockOut => createLockOut(openDatabase(stateDir), now);

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  stateDir = mkdtempSync(join(tmpdir(), "tk-lock-"));
  lockOut = reopen();
});

function fail(times: number, attempt = gw): void {
  for (let i = 0; i < times; i += 1) lockOut.failed(attempt);
}

it("locks for ten minutes at the fifth failure, and not at the fourth", () => {
  fail(MAX_FAILURES - 1);
  expect(lockOut.lockedUntil(gw)).toBeNull();
  expect(lockOut.failed(gw)).toBe(nowMs + 600_000);
  expect(lockOut.lockedUntil(gw)).toBe(nowMs + 600_000);
});

it("counts a failure for 60 s: one that is a millisecond younger counts, one of exactly 60 s does not", () => {
  lockOut.failed(gw);
  nowMs += WINDOW_MS - 1;
  fail(3);
  expect(lockOut.failed(gw)).not.toBeNull();
  nowMs += LOCK_MS;
  lockOut.failed(gw);
  nowMs += WINDOW_MS;
  fail(3);
  expect(lockOut.failed(gw)).toBeNull();
  expect(lockOut.failed(gw)).not.toBeNull();
});

it("ends the lock after exactly ten minutes, and begins to count anew", () => {
  fail(MAX_FAILURES);
  nowMs += LOCK_MS - 1;
  expect(lockOut.lockedUntil(gw)).not.toBeNull();
  nowMs += 1;
  expect(lockOut.lockedUntil(gw)).toBeNull();
  fail(MAX_FAILURES - 1);
  expect(lockOut.lockedUntil(gw)).toBeNull();
});

it("does not last longer because the clock was set back, by a little or by two days", () => {
  fail(MAX_FAILURES);
  nowMs -= 1_000;
  expect(lockOut.lockedUntil(gw)).not.toBeNull();
  nowMs -= 48 * 3_600_000;
  expect(lockOut.lockedUntil(gw)).toBeNull();
  fail(MAX_FAILURES);
  expect(lockOut.lockedUntil(gw)).toBe(nowMs + LOCK_MS);
});

it("remembers locks and failures over a restart", () => {
  fail(MAX_FAILURES - 1);
  lockOut = reopen();
  fail(1);
  expect(lockOut.lockedUntil(gw)).not.toBeNull();
  expect(reopen().lockedUntil(gw)).toBe(nowMs + LOCK_MS);
});

it.each([
  ["address", { ...gw, address: "192.0.2.2" }],
  ["address of the other version of IP", { ...gw, address: "::1" }],
  ["gateway", { ...gw, name: "gw-02" }],
  ["tenant", { ...gw, tenant: "zeta" }],
])("never locks out another %s", (_, other) => {
  fail(MAX_FAILURES * 3);
  expect(lockOut.lockedUntil(other)).toBeNull();
  expect(lockOut.failed(other)).toBeNull();
});

it("takes both ways of writing an IPv4 address for one", () => {
  fail(4);
  lockOut.failed({ ...gw, address: "::ffff:192.0.2.1" });
  expect(lockOut.lockedUntil(gw)).not.toBeNull();
});
