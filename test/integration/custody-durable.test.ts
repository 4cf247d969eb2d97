import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Call, isChangeOfFolder, isConfirmed, isForWriting, traced } from "./custody-durable/trace.ts";

const CHANGER = join(import.meta.dirname, "custody-durable", "changer.ts");
const SEGMENT = /^audit\/audit-\d{12}\.ndjson$/;
const HEAD = /^audit\/audit\.head$/;
const STATE = /^state\/generations\.json$/;
const KEY = /^keys\/[0-9a-f]{16}\.key$/;

let folder: string;
let calls: readonly Call[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-durable-"));
  calls = traced(CHANGER, folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What was opened to write in it; of a file that is renamed when it is whole, the temporary one. */
const openings = (file: RegExp) =>
  calls.filter((call) => isForWriting(call) && file.test(call.path.replace(/\.tmp$/, "")));
/** Changes of a folder, of one kind of system call, with whether each was confirmed in time. */
const changes = (name: RegExp, file: RegExp) =>
  calls.flatMap((call, index) =>
    isChangeOfFolder(call) && name.test(call.name) && file.test(call.path)
      ? [{ path: call.path, confirmed: isConfirmed(call, calls.slice(index + 1)) }]
      : [],
  );

test("the program did all that it is traced for", () => {
  const words = calls.filter(({ name }) => name === "said").map(({ path }) => path);
  expect(words).toEqual(["opened", "recorded", "made", "destroyed", "written"]);
});

describe("what is written is on the disk when the write returns:", () => {
  test.each([
    ["segments of the audit log", SEGMENT, 2],
    ["its heads", HEAD, 1],
    ["the state of the keyring", STATE, 2],
    ["keys", KEY, 1],
  ])("%s", (_, file, least) => {
    const opened = openings(file);
    expect(opened.length).toBeGreaterThanOrEqual(least);
    expect(opened.filter(({ args }) => !/\bO_D?SYNC\b/.test(args))).toEqual([]);
  });

  test("and every other file that was opened to write in it", () => {
    const lax = calls.filter((call) => isForWriting(call) && !/\bO_D?SYNC\b/.test(call.args));
    expect(lax.map(({ path }) => path)).toEqual([]);
  });
});

describe("the folder is on the disk before anything rests on it:", () => {
  test.each([
    ["a new segment, before a record is written in it", /^openat$/, SEGMENT, 2],
    ["a key's file, before it is told", /^rename/, KEY, 1],
    ["the removal of a key's file, before it is told", /^unlink/, KEY, 1],
    ["the state of the keyring, before it is told or replaced", /^rename/, STATE, 2],
  ])("%s", (_, name, file, least) => {
    const changed = changes(name, file);
    expect(changed.length).toBeGreaterThanOrEqual(least);
    expect(changed.filter(({ confirmed }) => !confirmed)).toEqual([]);
  });

  test("and every other name that came to be or was removed", () => {
    const late = changes(/./, /./).filter(({ confirmed }) => !confirmed);
    // The first bytes of a head file are blank: nothing rests on them.
    expect(late.map(({ path }) => path)).toEqual(["audit/audit.head"]);
  });
});
