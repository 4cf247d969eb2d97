import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditEntry } from "../audit/record.ts";
import { mortal } from "./test-memory.ts";
import { activeOf, type KeyringGround, newGround, prepared, retiredOf } from "./test-support.ts";
import { expectWhole } from "./test-whole.ts";

let ground: KeyringGround;

beforeEach(async () => {
  ground = await newGround();
});
afterEach(() => rmSync(ground.folder, { recursive: true, force: true }));

const isGenerated = ({ detail }: AuditEntry) => "change" in detail && detail.change === "generated";
const refused = () => Promise.reject(new Error("no space"));
const CORRUPT = expect.objectContaining({ code: "CUSTODY_STATE_CORRUPT" });
describe("an opening", () => {
  const older = async (changesAgo: number): Promise<void> => {
    const keyring = await prepared(ground);
    copyFileSync(ground.file, `${ground.file}.old`);
    for (let n = 0; n < changesAgo; n++) await keyring.generate("op", { state: "active" });
    copyFileSync(`${ground.file}.old`, ground.file);
  };
  const keys = () => [...ground.store.keys.keys()];

  it("redoes the last change when the state before it is put back", async () => {
    await older(1);
    expect((await expectWhole(ground)).list()).toHaveLength(4);
  });

  it("refuses an older state, and a state that is missing, and touches no key", async () => {
    await older(2);
    const before = keys();
    await expect(ground.open()).rejects.toEqual(CORRUPT);
    rmSync(ground.file);
    await expect(ground.open()).rejects.toEqual(CORRUPT);
    expect([keys(), existsSync(ground.file)]).toEqual([before, false]);
  });

  it("refuses the state before a destruction", async () => {
    const keyring = await prepared(ground);
    const text = readFileSync(ground.file);
    await keyring.destroy("op", retiredOf(keyring).keyId);
    writeFileSync(ground.file, text);
    await expect(ground.open()).rejects.toEqual(CORRUPT);
  });

  it("refuses a state and a log that are both older than the store, and destroys no key", async () => {
    const keyring = await prepared(ground);
    const [text, { length }] = [readFileSync(ground.file), ground.audit.records];
    await keyring.generate("op", { state: "active" });
    writeFileSync(ground.file, text);
    ground.audit.records.splice(length);
    const before = keys();
    await expect(ground.open()).rejects.toEqual(CORRUPT);
    expect(keys()).toEqual(before);
  });

  it("refuses a store with keys where neither state nor log is, and destroys no key", async () => {
    await prepared(ground);
    rmSync(ground.file);
    ground.audit.records.splice(0);
    const before = keys();
    await expect(ground.open()).rejects.toEqual(CORRUPT);
    expect(keys()).toEqual(before);
  });

  it("refuses a state without a record", async () => {
    await prepared(ground);
    ground.audit.records.splice(0);
    await expect(ground.open()).rejects.toEqual(CORRUPT);
  });

  it("refuses a key that nobody announced, and leaves it", async () => {
    await prepared(ground);
    const { keyId } = await ground.store.generate();
    await expect(ground.open()).rejects.toMatchObject({
      code: "CUSTODY_STATE_CORRUPT",
      message: expect.stringContaining(keyId),
    });
    expect(ground.store.keys.has(keyId)).toBe(true);
  });

  it("refuses a state without a record, be the store as empty as it may", async () => {
    await prepared(ground);
    ground.audit.records.splice(0);
    ground.store.keys.clear();
    const before = readFileSync(ground.file);
    await expect(ground.open()).rejects.toEqual(CORRUPT);
    expect(readFileSync(ground.file)).toEqual(before);
  });

  it.each([
    ["two keys where one was announced", 1, 2],
    ["another key than the one that was withdrawn", 3, 1],
  ])("refuses %s, and destroys none", async (_, step, keys) => {
    await prepared(ground);
    const dying = mortal(ground, { step, when: "after" });
    const refusing = {
      ...dying.audit,
      append: (entry: AuditEntry) => (isGenerated(entry) ? refused() : dying.audit.append(entry)),
    };
    const keyring = await ground.open({ ...dying, audit: refusing });
    await keyring.generate("op", { state: "next" }).catch(() => undefined);
    for (let key = 0; key < keys; key++) await ground.store.generate();
    const before = [...ground.store.keys.keys()];
    await expect(ground.open()).rejects.toEqual(CORRUPT);
    expect([...ground.store.keys.keys()]).toEqual(before);
  });

  it("records that a key is gone when somebody died between the two", async () => {
    const keyring = await prepared(ground);
    const { keyId } = retiredOf(keyring);
    const dying = await ground.open(mortal(ground, { step: 2, when: "after" }));
    await dying.destroy("op", keyId).catch(() => undefined);
    expect([ground.store.keys.has(keyId), ground.audit.records.at(-1)]).toMatchObject([
      false,
      { change: "destroying" },
    ]);
    await ground.open();
    expect(ground.audit.records.at(-1)).toMatchObject({ change: "destroyed", keyIds: [keyId] });
  });

  it("refuses another tenant's state", async () => {
    await prepared(ground);
    await expect(ground.open({ tenant: "other" })).rejects.toEqual(CORRUPT);
  });

  it("names each key that the store does not hold, the import key too", async () => {
    const keyring = await prepared(ground);
    const lost = [keyring.packageKey.keyId, activeOf(keyring).keyId];
    for (const keyId of lost) ground.store.keys.delete(keyId);
    const error = await ground.open().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CUSTODY_KEY_MISSING" });
    for (const keyId of lost) expect(String(error)).toContain(keyId);
  });

  it("destroys a destroyed key that came back, and records it", async () => {
    const keyring = await prepared(ground);
    const old = retiredOf(keyring);
    const key = ground.store.keys.get(old.keyId);
    await keyring.destroy("op", old.keyId);
    if (key) ground.store.keys.set(old.keyId, key);
    const { length } = ground.audit.records;
    await expectWhole(ground);
    expect(ground.audit.records.slice(length)).toMatchObject([
      { change: "destroyed", keyIds: [old.keyId] },
      ...opened(),
    ]);
  });

  /** What {@link expectWhole} opens. */
  const opened = () => ground.audit.records.filter(({ kind }) => kind === "decapsulated").map(({ kind }) => ({ kind }));

  it.each([
    ["a changed byte", (text: string) => text.replace('"next"', '"text"')],
    ["another activity", (text: string) => text.replace('"state": "next"', '"state": "retired"')],
    ["a cut", (text: string) => text.slice(0, -2)],
    ["no bytes", () => ""],
    ["a space more", (text: string) => `${text} `],
  ])("refuses a state with %s", async (_, spoil) => {
    await prepared(ground);
    writeFileSync(ground.file, spoil(readFileSync(ground.file, "utf8")));
    await expect(ground.open()).rejects.toEqual(CORRUPT);
  });

  it.each([
    ["leads elsewhere", (next: object) => ({ ...next, version: 9 })],
    ["has no form", () => ({ generations: 1 })],
    ["leads nowhere", () => null],
  ])("refuses to redo a record whose statement %s", async (_, forge) => {
    await older(1);
    const last = ground.audit.records.at(-1);
    if (last?.kind !== "generation") throw new Error("no record");
    const statement = last.statement as { readonly base: string; readonly next: object };
    ground.audit.records.splice(-1, 1, { ...last, statement: { ...statement, next: forge(statement.next) } });
    const before = readFileSync(ground.file);
    await expect(ground.open()).rejects.toEqual(CORRUPT);
    expect(readFileSync(ground.file)).toEqual(before);
  });
});
