import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MAX_COMMIT_RECORDS } from "./recover.ts";
import { segmentName } from "./segments.ts";
import { type TestLog, testLog } from "./test-log.ts";

let log: TestLog;
beforeEach(async () => {
  log = await testLog();
  await log.fill(2);
});
afterEach(() => log.remove());

/** Puts lines that no head counts at the end of the last segment, and in a next one. */
function beyond(last: number, next: number): void {
  const count = log.text().trimEnd().split("\n").length;
  appendFileSync(join(log.folder, log.segments().at(-1)!), "{}\n".repeat(last));
  writeFileSync(join(log.folder, segmentName(count + 1)), "{}\n".repeat(next));
}

test.each([
  ["the last segment and a next one", 100, MAX_COMMIT_RECORDS - 99],
  ["a next segment alone", 0, MAX_COMMIT_RECORDS + 1],
])("cuts off no more than one commit has, counted over %s", async (_, last, next) => {
  beyond(last, next);
  const before = log.text();
  await expect(log.open()).rejects.toMatchObject({ code: "CUSTODY_AUDIT_CORRUPT" });
  expect(log.text()).toBe(before);
});

test.each([
  ["the last segment and a next one", 100, MAX_COMMIT_RECORDS - 100],
  ["a next segment alone", 0, MAX_COMMIT_RECORDS],
])("cuts off as many as one commit has, from %s", async (_, last, next) => {
  beyond(last, next);
  await log.fill(0);
  expect(log.text().trimEnd().split("\n")).toHaveLength(4);
  expect(await log.codes()).toEqual([]);
});
