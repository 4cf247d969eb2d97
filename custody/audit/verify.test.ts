import { createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hashOf, NO_RECORD } from "../../certs/ledger/record.ts";
import { signHead } from "./head.ts";
import { HEAD_FILE, openHeadFile } from "./head-file.ts";
import { placeEntry, renderRecord } from "./record.ts";
import { segmentName } from "./segments.ts";
import { startSession } from "./session.ts";
import { generated, opened, type TestLog, testLog } from "./test-log.ts";
import { verifyAuditLog } from "./verify.ts";

/** A folder's files, to put back. */
type Files = ReadonlyMap<string, Buffer>;

let log: TestLog;
let publicKey: KeyObject;
/** The log of three sessions, the heads that were kept of it after each, and a log of another history of the same store. */
let whole: Files;
let kept: readonly string[];
let another: Files;
let anotherHead: string;

beforeAll(async () => {
  log = await testLog();
  publicKey = createPublicKey({ key: log.signer.publicKeySpki, format: "der", type: "spki" });
  const first = await log.fill(6);
  const open = await log.open();
  await open.append(generated("aa".repeat(8)));
  await Promise.all([1, 2, 3].map((n) => open.append(opened(n))));
  const second = open.head();
  await open.close();
  kept = [first, second, await log.fill(5)];
  whole = filesOf(log.folder);
  const other = await testLog(log.signer);
  anotherHead = await other.fill(17);
  another = filesOf(other.folder);
  other.remove();
}, 60_000);
beforeEach(() => putBack(whole));
afterAll(() => log.remove());

function filesOf(folder: string): Files {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}
function putBack(files: Files): void {
  for (const name of readdirSync(log.folder)) rmSync(join(log.folder, name));
  for (const [name, bytes] of files) writeFileSync(join(log.folder, name), bytes);
}
const at = (name: string) => join(log.folder, name);
const segment = (index: number) => log.segments().at(index)!;
const edit = (name: string, change: (text: string) => string) =>
  writeFileSync(at(name), change(readFileSync(at(name), "latin1")), "latin1");
const editLines = (name: string, change: (lines: string[]) => readonly string[]) =>
  edit(name, (text) => `${change(text.trimEnd().split("\n")).join("\n")}\n`);
const keptHeads = () => kept.map((text, index) => ({ name: `kept-${index + 1}.jws`, text }));
const verify = () => verifyAuditLog({ folder: log.folder, publicKey, keptHeads: keptHeads(), patienceMs: 0 });

describe("verifyAuditLog", () => {
  test("finds nothing in a log as it was written, and tells its records and its head", async () => {
    expect(log.segments().length).toBeGreaterThan(3);
    const lines = log.text().trimEnd().split("\n").length;
    expect(await verify()).toEqual({ records: lines, present: lines, head: kept.at(-1), findings: [] });
  });

  const changes: readonly (readonly [what: string, harm: () => void, code: string, path?: () => string])[] = [
    ["a record that was edited", () => edit(segment(1), (t) => t.replace('"opened":1', '"opened":0')), "AUDIT_CHAIN"],
    [
      "the last record edited",
      () => editLines(segment(-1), (l) => [...l.slice(0, -1), l.at(-1)!.replace("1", "2")]),
      "AUDIT_HEAD",
    ],
    ["an unknown member", () => edit(segment(1), (t) => t.replace('"unknown"', '"unknowm"')), "AUDIT_FORM"],
    [
      "a line that is no JSON",
      () => edit(segment(1), (t) => t.replace("{", "(")),
      "AUDIT_FORM",
      () => `${segment(1)}:1`,
    ],
    ["a deletion", () => editLines(segment(1), (l) => l.toSpliced(1, 1)), "AUDIT_SEQUENCE", () => `${segment(1)}:2`],
    ["a line twice", () => editLines(segment(1), (l) => [l[0]!, ...l]), "AUDIT_SEQUENCE", () => `${segment(1)}:2`],
    ["another order", () => editLines(segment(1), ([a, b, ...l]) => [b!, a!, ...l]), "AUDIT_SEQUENCE"],
    ["the tail cut off", () => editLines(segment(-1), (l) => l.slice(0, -1)), "AUDIT_CUT", () => HEAD_FILE],
    ["the tail torn", () => edit(segment(-1), (t) => t.slice(0, -9)), "AUDIT_TORN"],
    ["a line feed missing between segments", () => edit(segment(1), (t) => t.trimEnd()), "AUDIT_TORN"],
    ["the last segment missing", () => rmSync(at(segment(-1))), "AUDIT_CUT", () => HEAD_FILE],
    ["a segment missing", () => rmSync(at(segment(2))), "AUDIT_SEGMENT", () => segment(3)],
    ["the first segment missing", () => rmSync(at(segment(0))), "AUDIT_SEGMENT", () => segment(1)],
    ["the first segments missing", () => [0, 0, 0].map(() => rmSync(at(segment(0)))), "AUDIT_SEGMENT"],
    ["two segments swapped", () => swap(segment(1), segment(2)), "AUDIT_SEQUENCE", () => `${segment(1)}:1`],
    ["an empty segment at the end", () => writeFileSync(at("audit-000000000500.ndjson"), ""), "AUDIT_SEGMENT"],
    ["a line at the end", () => editLines(segment(-1), (l) => [...l, follower(l.at(-1)!)]), "AUDIT_BEYOND"],
    ["no head", () => rmSync(at(HEAD_FILE)), "AUDIT_HEAD", () => HEAD_FILE],
    ["an empty head", () => writeFileSync(at(HEAD_FILE), ""), "AUDIT_HEAD", () => HEAD_FILE],
    ["nothing at all", () => putBack(new Map()), "AUDIT_HEAD"],
  ];
  const named = changes.map(([what, harm, code, path]) => ({ what, harm, code, path }));
  test.each(named)("finds $what", async ({ harm, code, path }) => {
    const where = path?.();
    harm();
    const { findings } = await verify();
    expect(findings.map((found) => found.code)).toContain(code);
    if (where !== undefined) expect(findings).toContainEqual(expect.objectContaining({ code, path: where }));
  });

  test("names each change once, and not all that follows it", async () => {
    editLines(segment(1), (lines) => lines.toSpliced(1, 1));
    const { findings } = await verify();
    expect(findings.map(({ code, path }) => `${code} ${path}`)).toEqual([
      `AUDIT_SEQUENCE ${segment(1)}:2`,
      `AUDIT_CHAIN ${segment(1)}:2`,
    ]);
  });

  test("finds a session that the store does not vouch for, and one that it vouched for elsewhere", async () => {
    const stranger = await testLog();
    const forged = await startSession(stranger.signer, { seq: 1, prev: "0".repeat(64) });
    const elsewhere = await startSession(log.signer, { seq: 2, prev: "0".repeat(64) });
    for (const { claim, vouch } of [forged, elsewhere]) {
      putBack(whole);
      editLines(segment(0), ([first, ...lines]) => [
        JSON.stringify({ ...JSON.parse(first!), publicKey: claim.publicKey, vouch }),
        ...lines,
      ]);
      expect((await verify()).findings).toContainEqual(
        expect.objectContaining({ code: "AUDIT_SESSION", path: `${segment(0)}:1` }),
      );
    }
    stranger.remove();
  });

  test("finds a log that was written anew by who has no key of the store", async () => {
    const stranger = await testLog();
    await stranger.fill(17);
    putBack(filesOf(stranger.folder));
    expect(await log.codes()).toEqual(["AUDIT_HEAD", "AUDIT_SESSION", "AUDIT_BEYOND"]);
    stranger.remove();
  });

  test("finds the head of another log of the same store, and a whole other log by a head that was kept", async () => {
    writeFileSync(at(HEAD_FILE), another.get(HEAD_FILE)!);
    expect(await log.codes()).toEqual(["AUDIT_HEAD"]);
    putBack(another);
    expect(await log.codes()).toEqual([]);
    expect(await log.codes({ keptHeads: keptHeads() })).toContain("AUDIT_HEAD");
    putBack(whole);
    expect(await log.codes({ keptHeads: [{ name: "strange.jws", text: anotherHead }] })).toEqual(["AUDIT_HEAD"]);
    expect(await log.codes({ keptHeads: [{ name: "nothing.jws", text: "" }] })).toEqual(["AUDIT_HEAD"]);
  });

  test("finds an older copy of the log by a head that was kept, and an older head by the records beyond it", async () => {
    putBack(whole);
    const head = readFileSync(at(HEAD_FILE));
    await log.fill(3);
    const [newest] = [await log.fill(0)];
    writeFileSync(at(HEAD_FILE), head);
    expect(await log.codes()).toEqual(["AUDIT_BEYOND"]);
    putBack(whole);
    expect(await log.codes()).toEqual([]);
    const { findings } = await verifyAuditLog({
      ...{ folder: log.folder, publicKey, patienceMs: 0 },
      keptHeads: [{ name: "monday.jws", text: `${newest}\n` }],
    });
    expect(findings.map(({ code, path }) => `${code} ${path}`)).toEqual(["AUDIT_CUT monday.jws"]);
  });

  test("finds a head of the right session that says what is not so", async () => {
    const place = { seq: 1, prev: NO_RECORD };
    const session = await startSession(log.signer, place);
    const detail = { publicKey: session.claim.publicKey, vouch: session.vouch, cutBytes: 0 };
    const at = "2026-11-21T08:00:00.000Z";
    const line = renderRecord(placeEntry({ kind: "session", actor: "custody", detail }, { ...place, at }));
    const right = { seq: 1, hash: hashOf(line), at, segment: segmentName(1), generations: [] };
    putBack(new Map([[segmentName(1), Buffer.from(`${line}\n`)]]));
    const file = await openHeadFile(join(log.folder, HEAD_FILE));
    await file.write(0, await signHead(right, session));
    await file.close();
    const codesOf = async (change: object, by = session) =>
      log.codes({ keptHeads: [{ name: "kept", text: await signHead({ ...right, ...change }, by) }] });
    expect(await codesOf({})).toEqual([]);
    expect(await codesOf({ hash: NO_RECORD })).toEqual(["AUDIT_HEAD"]);
    expect(await codesOf({ segment: segmentName(2) })).toEqual(["AUDIT_HEAD"]);
    expect(await codesOf({ generations: [1] })).toEqual(["AUDIT_HEAD"]);
    expect(await codesOf({ seq: 2 })).toEqual(["AUDIT_CUT"]);
    expect(await codesOf({}, await startSession(log.signer, place))).toEqual(["AUDIT_HEAD"]);
  });

  test("finds any one change of any of the files", async () => {
    const names = [...whole.keys()];
    const mutation = fc.record({
      how: fc.constantFrom(
        "flip",
        "cut",
        "delete a line",
        "swap lines",
        "repeat a line",
        "delete the file",
        "swap files",
      ),
      file: fc.nat(),
      place: fc.nat(),
      bit: fc.nat(7),
    });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ how, file, place, bit }) => {
        putBack(whole);
        const name = names[file % names.length]!;
        mutate(how, name, names[(file + 1) % names.length]!, place, bit);
        // Which of its two slots has which head is of no matter.
        if (how === "swap lines" && name === HEAD_FILE) return;
        const same = names.every((each) => existsSync(at(each)) && readFileSync(at(each)).equals(whole.get(each)!));
        if (!same) expect((await verify()).findings).not.toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe("while custody is writing", () => {
  test("finds nothing, and finds what no head counts in the end", async () => {
    const open = await log.open();
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n++) await open.append(opened(n));
    })();
    for (let times = 0; times < 5; times++) {
      const { findings, records } = await verifyAuditLog({ folder: log.folder, publicKey, keptHeads: keptHeads() });
      expect(findings).toEqual([]);
      expect(records).toBeGreaterThan(18);
    }
    writing = false;
    await writer;
    await open.close();
  });
});

/** A record that fits after a line, which whoever can write the file can make. */
function follower(line: string): string {
  return JSON.stringify({ ...JSON.parse(line), seq: JSON.parse(line).seq + 1, prev: hashOf(line) });
}

function swap(one: string, two: string): void {
  const [first, second] = [readFileSync(at(one)), readFileSync(at(two))];
  writeFileSync(at(one), second);
  writeFileSync(at(two), first);
}

function mutate(how: string, name: string, next: string, place: number, bit: number): void {
  const bytes = Buffer.from(readFileSync(at(name)));
  const lines = bytes.toString("latin1").split("\n");
  const index = place % Math.max(1, lines.length - 1);
  const write = (changed: readonly string[]) => writeFileSync(at(name), changed.join("\n"), "latin1");
  if (how === "delete the file") rmSync(at(name));
  if (how === "swap files") swap(name, next);
  if (how === "cut") writeFileSync(at(name), bytes.subarray(0, place % bytes.length));
  if (how === "delete a line") write(lines.toSpliced(index, 1));
  if (how === "repeat a line") write(lines.toSpliced(index, 0, lines[index]!));
  if (how === "swap lines") write(lines.toSpliced(index, 1).toSpliced((index + 1) % lines.length, 0, lines[index]!));
  if (how !== "flip") return;
  bytes[place % bytes.length]! ^= 1 << bit;
  writeFileSync(at(name), bytes);
}
