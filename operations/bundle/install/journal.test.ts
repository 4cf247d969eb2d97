import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { historyOf } from "./history.ts";
import { type JournalLine, openJournal, parseJournal } from "./journal.ts";

const manifest = `sha256:${"a".repeat(64)}`;
const at = "2026-11-22T00:00:00Z";
const begin = (run: number, version: number, from: number | null): JournalLine => ({
  ...{ event: "begin", run, at, version, manifest, from },
  kind: from === null ? "install" : "upgrade",
});
const end = (run: number, outcome: "new" | "old" = "new"): JournalLine => ({ event: "end", run, at, outcome });

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a journal", () => {
  it("gives back what was written, and takes a torn last line for none", () => {
    const file = join(folder, "journal.jsonl");
    openJournal(file).write(begin(1, 1, null));
    writeFileSync(file, `${readFileSync(file, "utf8")}{"event":"end","run`);
    const again = openJournal(file);
    again.write(end(1));
    expect(openJournal(file).lines()).toEqual([begin(1, 1, null), end(1)]);
  });

  it.each([
    ["no JSON", "nonsense"],
    ["a step that there is not", JSON.stringify({ event: "step", run: 1, at, step: "dance", state: "begun" })],
    ["a member too many", JSON.stringify({ ...end(1), more: 1 })],
    ["a version of 0", JSON.stringify(begin(1, 0, null))],
    ["nothing", ""],
  ])("refuses a line with %s", (_, line) => {
    expect(() => parseJournal(`${line}\n`, "j")).toThrow(expect.objectContaining({ code: "BUNDLE_JOURNAL_CORRUPT" }));
  });

  it.each([
    ["an end without a begin", [end(1)]],
    ["two begins", [begin(1, 1, null), begin(2, 2, null)]],
    ["a run that is left out", [begin(2, 1, null)]],
    ["a run from another version than runs", [begin(1, 1, null), end(1), begin(2, 3, 2)]],
    ["a way back of a first install", [begin(1, 1, null), { event: "back", run: 1, at, why: "" } as const]],
    ["the end of another run", [begin(1, 1, null), end(2)]],
  ])("refuses %s", (_, lines) => {
    expect(() => historyOf(lines)).toThrow(expect.objectContaining({ code: "BUNDLE_JOURNAL_CORRUPT" }));
  });
});

describe("the history of a site", () => {
  const two = [begin(1, 1, null), end(1), begin(2, 2, 1)];

  it("says what runs, and what it replaced", () => {
    const { installed, before, open } = historyOf([...two, end(2)]);
    expect([installed?.version, before?.version, open]).toEqual([2, 1, undefined]);
  });

  it("says that the old version runs after an upgrade that was undone", () => {
    const { installed, before } = historyOf([...two, end(2, "old")]);
    expect([installed?.version, before]).toEqual([1, undefined]);
  });

  it("has no way back after a rollback", () => {
    const back: JournalLine = { event: "begin", run: 3, at, kind: "rollback", version: 1, manifest, from: 2 };
    const { installed, before } = historyOf([...two, end(2), back, end(3)]);
    expect([installed?.version, before]).toEqual([1, undefined]);
  });
});
