import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { acceptedPins, type BrokerKeys, brokerKeys } from "./pins.ts";
import { hostFiles } from "./store-files.ts";

const START = new Date("2026-11-21T08:00:00Z");
const after = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-pins-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (): BrokerKeys => brokerKeys(dir, join(dir, "tls.key"), hostFiles);

/** A broker that has a key, and its next one. */
function settled(): BrokerKeys {
  const keys = open();
  keys.promote();
  keys.settle();
  return keys;
}

it("puts the next key in use, keeps the pin before, and makes another next key", () => {
  const keys = settled();
  const before = keys.read();
  const nextKey = keys.nextKeyPem();
  keys.promote();
  keys.settle();
  const { current, next, previous } = keys.read();
  expect([current, previous]).toEqual([before.next, before.current]);
  expect([before.current, before.next]).not.toContain(next);
  expect(readFileSync(join(dir, "tls.key"), "utf8")).toBe(nextKey);
  expect(acceptedPins(keys.read())).toEqual([before.next, next, before.current]);
});

it("keeps the pin before, where a run died between the new key and its certificate and the next promotes again", () => {
  const keys = settled();
  const { current, next } = keys.read();
  keys.promote();
  open().promote();
  expect(open().read()).toEqual({ current: next, next, previous: current });
});

it("makes no other next key while the one that clients know is not in use", () => {
  const keys = settled();
  const before = keys.read();
  keys.settle();
  open().settle();
  expect(open().read()).toEqual(before);
});

it("has no pin before where there was no key", () => {
  const keys = open();
  keys.promote();
  expect(keys.read().previous).toBe(undefined);
});

it("takes the pin before out an hour after it was first asked to, and not sooner", () => {
  const keys = settled();
  const { current } = keys.read();
  keys.promote();
  for (const seconds of [0, 1, 3600]) keys.dropPrevious(after(seconds));
  expect(keys.read().previous).toBe(current);
  keys.dropPrevious(after(3601));
  expect(keys.read().previous).toBe(undefined);
});

it("takes it out at once where a rotation has proven that nobody needs it", () => {
  const keys = settled();
  keys.promote();
  keys.dropPrevious();
  expect(keys.read().previous).toBe(undefined);
});
