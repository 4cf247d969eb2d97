import { randomBytes } from "node:crypto";
import { generateHybridIdentity, generateX25519Identity } from "age-encryption";
import { describe, expect, it } from "vitest";
import { ageKeyWrap } from "./age-wrap.ts";
import { aesKeyWrap, type KeyWrap } from "./key-wrap.ts";

const BYTES = Buffer.from("bytes");
const KEY = randomBytes(32);
const IDENTITY = await generateX25519Identity();
const closed = expect.objectContaining({ code: "CUSTODY_STORE_CLOSED" });

const WRAPS: readonly (readonly [string, () => Promise<KeyWrap>])[] = [
  ["AES", async () => aesKeyWrap(Buffer.from(KEY))],
  ["age", async () => (await ageKeyWrap(IDENTITY))!],
  ["age, hybrid", async () => (await ageKeyWrap(await generateHybridIdentity()))!],
];

describe.each(WRAPS)("the %s wrap", (_, make) => {
  it("opens what it wrapped, under its context alone", async () => {
    const wrap = await make();
    const wrapped = await wrap.wrap(BYTES, "a");
    expect(await wrap.unwrap(wrapped, "a")).toEqual(BYTES);
    for (const context of ["b", "", "a\n", "ab"]) expect(await wrap.unwrap(wrapped, context)).toBeNull();
  });

  it("never wraps twice alike", async () => {
    const wrap = await make();
    expect(await wrap.wrap(BYTES, "a")).not.toEqual(await wrap.wrap(BYTES, "a"));
  });

  it("opens nothing that was changed or cut", async () => {
    const wrap = await make();
    const wrapped = await wrap.wrap(BYTES, "a");
    for (let at = 0; at < wrapped.length; at += Math.ceil(wrapped.length / 40)) {
      const changed = Buffer.from(wrapped);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await wrap.unwrap(changed, "a"), `byte ${at}`).toBeNull();
      expect(await wrap.unwrap(wrapped.subarray(0, at), "a"), `${at} bytes`).toBeNull();
    }
  });

  it("wraps and opens nothing once it is closed", async () => {
    const wrap = await make();
    const wrapped = await wrap.wrap(BYTES, "a");
    await wrap.close();
    await wrap.close();
    await expect(wrap.wrap(BYTES, "a")).rejects.toEqual(closed);
    await expect(wrap.unwrap(wrapped, "a")).rejects.toEqual(closed);
  });
});

describe("the AES wrap", () => {
  it("opens nothing that another key wrapped, and fills its own with zeros", async () => {
    const key = Buffer.from(KEY);
    const wrap = aesKeyWrap(key);
    expect(await aesKeyWrap(randomBytes(32)).unwrap(await wrap.wrap(BYTES, "a"), "a")).toBeNull();
    await wrap.close();
    expect(key.equals(Buffer.alloc(32))).toBe(true);
  });
});

describe("the age wrap", () => {
  it("opens nothing that was wrapped for another identity", async () => {
    const other = (await ageKeyWrap(await generateX25519Identity()))!;
    expect(await other.unwrap(await (await ageKeyWrap(IDENTITY))!.wrap(BYTES, "a"), "a")).toBeNull();
  });

  it.each(["", "AGE-SECRET-KEY-1CANARY", "AGE-SECRET-KEY-PQ-1CANARY", "age1canary"])(
    "is none of %j",
    async (identity) => {
      expect(await ageKeyWrap(identity)).toBeNull();
    },
  );
});
