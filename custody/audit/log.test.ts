import { appendFileSync, cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashOf, NO_RECORD } from "../../certs/ledger/record.ts";
import { HEAD_FILE } from "./head-file.ts";
import type { AuditEntry } from "./record.ts";
import { generated, opened, type TestLog, testLog } from "./test-log.ts";

let log: TestLog;
beforeEach(async () => {
  log = await testLog();
});
afterEach(() => log.remove());
const lines = () => log.text().trimEnd().split("\n");
const corrupt = expect.objectContaining({ code: "CUSTODY_AUDIT_CORRUPT" });

describe("an audit log", () => {
  test("begins with a session, and chains each line to the one before, over segments and restarts", async () => {
    await log.fill(5);
    await log.fill(5);
    const records = lines().map((line) => JSON.parse(line));
    expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(records.map(({ prev }) => prev)).toEqual([NO_RECORD, ...lines().slice(0, -1).map(hashOf)]);
    expect(records.flatMap(({ kind }, index) => (kind === "session" ? [index + 1] : []))).toEqual([1, 7]);
    expect(records[1]).toEqual({
      ...opened(0).detail,
      ...{ kind: "decapsulated", actor: "svc-collector" },
      ...records[1],
    });
    const firsts = log.segments().map((name) => Number(/\d+/.exec(name)?.[0]));
    expect(firsts.length).toBeGreaterThan(2);
    for (const [index, name] of log.segments().entries()) {
      expect(JSON.parse(readFileSync(join(log.folder, name), "utf8").split("\n")[0]!).seq).toBe(firsts[index]);
    }
    expect(await log.codes()).toEqual([]);
  });

  test("is for its owner alone", async () => {
    await log.fill(1);
    for (const name of [...log.segments(), HEAD_FILE]) {
      expect(statSync(join(log.folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  test("brings what comes at once to the disk under few heads, in order", async () => {
    const open = await log.open();
    const records = await Promise.all(Array.from({ length: 600 }, (_, index) => open.append(opened(index))));
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 2));
    expect(records.map((record) => "root" in record && Number.parseInt(record.root, 16))).toEqual(
      records.map((_, index) => index),
    );
    await open.close();
    expect(await log.codes()).toEqual([]);
  });

  test("tells its last two changes of generations, also after a restart, and not those of before", async () => {
    const first = await log.open();
    expect(first.lastGenerations()).toEqual([]);
    for (const keyId of ["aa", "bb", "cc"]) await first.append(generated(keyId.repeat(8)));
    await first.close();
    await log.fill(20);
    const again = await log.open();
    const keyIds = again.lastGenerations().map((record) => "keyIds" in record && record.keyIds[0]);
    expect(keyIds).toEqual(["bb".repeat(8), "cc".repeat(8)]);
    await again.close();
  });

  test.each<readonly [string, unknown]>([
    ["of an unknown kind", { ...opened(1), kind: "erased" }],
    ["of a kind that every object has", { ...opened(1), kind: "toString" }],
    ["that is a session", { kind: "session", actor: "custody", detail: { publicKey: "", vouch: "a", cutBytes: 0 } }],
    ["with one member too many", { ...opened(1), detail: { ...opened(1).detail, secret: "00" } }],
    ["that takes a place of its own", { ...opened(1), detail: { ...opened(1).detail, seq: 1 } }],
    ["without an actor", { ...opened(1), actor: "" }],
    ["longer than a line may be", { ...generated("aa".repeat(8)), actor: "x", detail: big() }],
  ])("refuses an entry %s, and goes on", async (_, entry) => {
    const open = await log.open();
    await expect(open.append(entry as AuditEntry)).rejects.toMatchObject({ code: "CUSTODY_AUDIT_ENTRY" });
    expect((await open.append(opened(1))).seq).toBe(2);
    await open.close();
    expect(await log.codes()).toEqual([]);
  });

  test("takes nothing after its end", async () => {
    const open = await log.open();
    await open.close();
    await expect(open.append(opened(1))).rejects.toMatchObject({ code: "CUSTODY_AUDIT_UNAVAILABLE" });
  });

  test("does not fork when another process writes, nor go on in a file that was removed", async () => {
    const open = await log.open();
    const segment = join(log.folder, log.segments()[0]!);
    appendFileSync(segment, "{}\n");
    await expect(open.append(opened(1))).rejects.toThrow(corrupt);
    truncateSync(segment, statSync(segment).size - 3);
    await open.append(opened(2));
    rmSync(segment);
    await expect(open.append(opened(3))).rejects.toThrow(corrupt);
    await open.close();
  });
});

describe("the next opening", () => {
  test("cuts what a death at any byte of a commit left, and no confirmed record", async () => {
    await log.fill(3);
    const [before, oldHead] = [lines().length, readFileSync(join(log.folder, HEAD_FILE))];
    const last = () => join(log.folder, log.segments().at(-1)!);
    const [from, name] = [statSync(last()).size, last()];
    const open = await log.open({ segmentBytes: 1 << 20 });
    await Promise.all([open.append(opened(8)), open.append(opened(9))]);
    await open.close();
    const after = readFileSync(name);
    for (let bytes = from; bytes < after.length; bytes += 41) {
      writeFileSync(name, after.subarray(0, bytes));
      writeFileSync(join(log.folder, HEAD_FILE), oldHead);
      const again = await log.open({ segmentBytes: 1 << 20 });
      expect((await again.append(opened(7))).seq).toBe(before + 2);
      await again.close();
      expect(await log.codes()).toEqual([]);
      expect(JSON.parse(lines()[before]!)).toMatchObject({ kind: "session", cutBytes: bytes - from });
    }
  });

  test("takes the older slot when the newer one is torn, and the newer one when the older is", async () => {
    for (const [slot, kept] of [
      [0, 2],
      [1, 3],
    ] as const) {
      const other = await testLog(log.signer);
      await other.fill(2);
      const file = join(other.folder, HEAD_FILE);
      // Session, first and second record: slots 0, 1, 0.
      const bytes = readFileSync(file);
      bytes.fill(0, slot * 2048 + 700, (slot + 1) * 2048);
      writeFileSync(file, bytes);
      await other.fill(0);
      expect(await other.codes()).toEqual([]);
      expect(other.text().trimEnd().split("\n")).toHaveLength(kept + 1);
      other.remove();
    }
  });

  test("after a death before the first head begins anew", async () => {
    await log.fill(0);
    const [segment] = log.segments();
    for (const left of ["", "half a li", log.text()]) {
      writeFileSync(join(log.folder, segment!), left);
      rmSync(join(log.folder, HEAD_FILE));
      await log.fill(1);
      expect(lines()).toHaveLength(2);
      expect(await log.codes()).toEqual([]);
    }
  });

  test("goes on in a segment that was begun and never written to", async () => {
    await log.fill(5);
    const next = `audit-${String(lines().length + 1).padStart(12, "0")}.ndjson`;
    writeFileSync(join(log.folder, next), "");
    await log.fill(1);
    expect(log.segments()).toContain(next);
    expect(await log.codes()).toEqual([]);
  });

  const file = (name: string) => join(log.folder, name);
  const first = () => file(log.segments()[0]!);
  const last = () => file(log.segments().at(-1)!);
  const edit = (name: string, change: (text: string) => string) =>
    writeFileSync(name, change(readFileSync(name, "utf8")));
  test.each<readonly [string, () => void]>([
    ["a confirmed line that was changed", () => edit(last(), (text) => text.replace("svc-collector", "svc-collectoR"))],
    ["the last confirmed line changed", () => edit(last(), (text) => text.replace(/opened(?!.*opened)/s, "Opened"))],
    ["the last confirmed line with another number", () => edit(last(), (text) => text.replace(/1(?=[^1]*$)/, "2"))],
    ["a confirmed line that is torn", () => truncateSync(last(), statSync(last()).size - 1)],
    ["a line that is missing", () => edit(last(), (text) => text.split("\n").slice(1).join("\n"))],
    ["its last segment missing", () => rmSync(last())],
    ["its last segment empty", () => truncateSync(last(), 0)],
    ["no head", () => rmSync(file(HEAD_FILE))],
    ["an empty head", () => truncateSync(file(HEAD_FILE), 0)],
    ["a head without sense", () => edit(file(HEAD_FILE), (text) => text.replaceAll("e", "f"))],
    ["a segment from nowhere", () => writeFileSync(file("audit-000000000999.ndjson"), "")],
    ["more lines that nobody confirmed than one commit has", () => appendFileSync(last(), "{}\n".repeat(257))],
    ["the records of its last change of generations missing", () => rmSync(first())],
    ["no segment at all", () => log.segments().map((name) => rmSync(file(name)))],
  ])("does not take %s", async (_, harm) => {
    const open = await log.open();
    await open.append(generated("aa".repeat(8)));
    await open.close();
    await log.fill(10);
    harm();
    const before = log.text();
    await expect(log.open()).rejects.toThrow(corrupt);
    expect(log.text()).toBe(before);
  });

  test("does not take two records without a head, nor one record with a head without sense", async () => {
    await log.fill(0);
    edit(file(HEAD_FILE), (text) => text.replaceAll("e", "f"));
    await expect(log.open()).rejects.toThrow(corrupt);
    expect(lines()).toHaveLength(1);
    rmSync(file(HEAD_FILE));
    appendFileSync(first(), `${lines()[0]}\n`);
    await expect(log.open()).rejects.toThrow(corrupt);
    expect(lines()).toHaveLength(2);
  });

  test("does not take the log of another store, nor an old head as if what came after it had never counted", async () => {
    const stranger = await testLog();
    await expect(stranger.fill(3)).resolves.toContain(".");
    cpSync(stranger.folder, log.folder, { recursive: true });
    await expect(log.open()).rejects.toThrow(corrupt);
    const [old, head] = [readFileSync(join(stranger.folder, HEAD_FILE)), join(stranger.folder, HEAD_FILE)];
    const open = await stranger.open({ segmentBytes: 1 << 20 });
    await Promise.all(Array.from({ length: 300 }, (_, index) => open.append(opened(index))));
    await open.close();
    writeFileSync(head, old);
    await expect(stranger.open()).rejects.toThrow(corrupt);
    stranger.remove();
  });
});

/** More than 256 KiB. */
function big(): object {
  return { ...generated("aa".repeat(8)).detail, statement: { text: "x".repeat(256 * 1024) } };
}
