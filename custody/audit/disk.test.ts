import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AuditDisk, openAuditDisk } from "./disk.ts";
import { HEAD_FILE, readSlots } from "./head-file.ts";
import { segmentName } from "./segments.ts";

let folder: string;
let disk: AuditDisk;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-audit-disk-"));
  disk = await openAuditDisk({ folder, segment: segmentName(1), length: 0, slot: 1, segmentBytes: 10 });
});
afterEach(async () => {
  await disk.close();
  rmSync(folder, { recursive: true });
});

const commit = (
  text: string,
  first: number,
  wanted = () => true,
  head = async (segment: string) => `${segment}.${first}`,
) => disk.commit({ lines: Buffer.from(text), first, head, wanted });
const textOf = (first: number) => readFileSync(join(folder, segmentName(first)), "utf8");
const heads = async () =>
  (await readSlots(join(folder, HEAD_FILE))).map((slot) => (slot.state === "filled" ? slot.text : slot.state));
const HEAD = (of: number, segment = of) => `${segmentName(segment)}.${of}`;

/** Wanted until that question, counted from 1. */
const until = (question: number) => {
  let asked = 0;
  return () => ++asked < question;
};

test("writes the slots in turn, and begins a segment when the last one is full", async () => {
  await commit("one\n", 1);
  expect(await heads()).toEqual([HEAD(1), "blank"]);
  await commit("two & more\n", 2);
  expect(await heads()).toEqual([HEAD(1), HEAD(2, 1)]);
  await commit("three\n", 3);
  expect(await heads()).toEqual([HEAD(3), HEAD(2, 1)]);
  expect([textOf(1), textOf(3)]).toEqual(["one\ntwo & more\n", "three\n"]);
});

test("takes back what nobody waits for any more, before its head is written and after", async () => {
  await commit("one\n", 1);
  for (const question of [1, 2]) {
    await expect(commit("late\n", 2, until(question))).rejects.toThrow("too long");
    expect(textOf(1)).toBe("one\n");
    expect(await heads()).toEqual([HEAD(1), "blank"]);
  }
  await commit("two\n", 2);
  expect(textOf(1)).toBe("one\ntwo\n");
  expect(await heads()).toEqual([HEAD(1), HEAD(2, 1)]);
});

test("takes back records whose head cannot be made or is too long for its slot", async () => {
  await commit("one\n", 1);
  const failing = () => Promise.reject(new Error("no key"));
  await expect(commit("two\n", 2, () => true, failing)).rejects.toThrow("no key");
  await expect(
    commit(
      "two\n",
      2,
      () => true,
      async () => "x".repeat(2_048),
    ),
  ).rejects.toThrow(RangeError);
  expect(textOf(1)).toBe("one\n");
  expect(await heads()).toEqual([HEAD(1), "blank"]);
});

test("leaves a begun segment empty when its first commit fails, and goes on in it", async () => {
  await commit("one & more\n", 1);
  await expect(commit("late\n", 2, until(1))).rejects.toThrow("too long");
  expect(textOf(2)).toBe("");
  await commit("two\n", 2);
  expect(textOf(2)).toBe("two\n");
});
