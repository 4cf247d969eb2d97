import { generateKeyPairSync } from "node:crypto";
import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sealGenerationPackage } from "../package.ts";
import type { Keyring } from "./keyring.ts";
import { activeOf, type KeyringGround, newGround, opens } from "./test-support.ts";

let ground: KeyringGround;
let keyring: Keyring;

beforeEach(async () => {
  ground = await newGround();
  keyring = await ground.open();
});
afterEach(() => rmSync(ground.folder, { recursive: true, force: true }));

const newPrivate = () => generateKeyPairSync("x25519").privateKey.export({ format: "raw-private" });
const states = () => keyring.list().map(({ state }) => state);
const refused = (code: string) => expect.objectContaining({ code });

function packageOf(privateKey: Uint8Array, tenant = "acme"): Buffer {
  const metadata = { tenant, createdAt: "2026-01-01T00:00:00.000Z" };
  return Buffer.from(sealGenerationPackage({ importKey: keyring.packageKey.publicKey, privateKey, metadata }));
}

describe("a compromise", () => {
  it("of the active generation puts a new one in its place, and blocks it", async () => {
    const stolen = activeOf(keyring);
    const active = await keyring.compromise("op-admin", stolen.keyId, { stored: "block", reason: "laptop lost" });
    expect(active).toEqual(activeOf(keyring));
    expect(active.keyId).not.toBe(stolen.keyId);
    expect(keyring.list()[0]).toMatchObject({
      state: "retired",
      compromised: { reason: "laptop lost", stored: "block" },
    });
    expect([await opens(keyring, stolen), await opens(keyring, stolen, "stored")]).toEqual([false, false]);
    expect(await opens(keyring, active)).toBe(true);
  });

  it("may allow what is stored, and never what is live", async () => {
    const stolen = activeOf(keyring);
    await keyring.compromise("op-admin", stolen.keyId, { stored: "allow", reason: "laptop lost" });
    for (const each of [keyring, await ground.open()])
      expect([await opens(each, stolen), await opens(each, stolen, "stored")]).toEqual([false, true]);
  });

  it("of a next one marks it, and it never becomes active", async () => {
    const active = activeOf(keyring);
    const next = await keyring.generate("op-admin", { state: "next" });
    expect(await keyring.compromise("op-admin", next.keyId, { stored: "block", reason: "seen" })).toEqual(active);
    expect(states()).toEqual(["active", "next"]);
    await expect(keyring.activate("op-admin", next.keyId)).rejects.toEqual(refused("CUSTODY_GENERATION_STATE"));
    await keyring.destroy("op-admin", next.keyId);
  });

  it("is declared again only to block what it allowed, and keeps its first time", async () => {
    const { keyId } = activeOf(keyring);
    await keyring.compromise("op-admin", keyId, { stored: "allow", reason: "one" });
    const at = keyring.list()[0]?.compromised?.at;
    await expect(keyring.compromise("op", keyId, { stored: "allow", reason: "two" })).rejects.toEqual(
      refused("CUSTODY_GENERATION_STATE"),
    );
    await keyring.compromise("op-admin", keyId, { stored: "block", reason: "two" });
    expect(keyring.list()[0]?.compromised).toEqual({ at, reason: "two", stored: "block" });
    await expect(keyring.compromise("op", keyId, { stored: "allow", reason: "three" })).rejects.toEqual(
      refused("CUSTODY_GENERATION_STATE"),
    );
    expect(keyring.list()).toHaveLength(2);
  });
});

describe("keys from elsewhere", () => {
  it("come from a ceremony as next, once", async () => {
    const bytes = packageOf(newPrivate());
    const taken = await keyring.importPackage("op-admin", bytes);
    expect(taken).toMatchObject({ state: "next", origin: "ceremony", createdAt: "2026-01-01T00:00:00.000Z" });
    expect(await keyring.importPackage("op-admin", bytes)).toEqual(taken);
    expect(keyring.list()).toHaveLength(2);
    expect(await opens(keyring, taken)).toBe(true);
    const told = ground.audit.records.flatMap((record) => (record.kind === "generation" ? [record.change] : []));
    expect(told.slice(2)).toEqual(["making", "imported", "making", "withdrawn"]);
    await keyring.activate("op-admin", taken.keyId);
    expect((await ground.open()).list()).toEqual(keyring.list());
  });

  it("come from a fixture as retired, once, under its own name", async () => {
    const privateKey = newPrivate();
    const taken = await keyring.importKey("custody", privateKey, { state: "retired" });
    expect(taken).toMatchObject({ state: "retired", origin: "fixture" });
    expect(await keyring.importKey("custody", privateKey, { state: "retired" })).toEqual(taken);
    expect(await opens(keyring, taken)).toBe(true);
    expect(states()).toEqual(["active", "retired"]);
  });

  it("never come back once they were destroyed", async () => {
    const privateKey = newPrivate();
    const bytes = packageOf(privateKey);
    const { keyId } = await keyring.importPackage("op-admin", bytes);
    await keyring.destroy("op-admin", keyId);
    await expect(keyring.importPackage("op", bytes)).rejects.toEqual(refused("CUSTODY_GENERATION_STATE"));
    await expect(keyring.importKey("op", privateKey, { state: "next" })).rejects.toEqual(
      refused("CUSTODY_GENERATION_STATE"),
    );
    expect(ground.store.keys.has(keyId)).toBe(false);
  });

  it("are recorded before the import key is used, and what came of it", async () => {
    const bytes = packageOf(newPrivate());
    const at = bytes.indexOf('"ciphertext": "') + 15;
    bytes[at] = bytes[at] === 48 ? 49 : 48;
    await expect(keyring.importPackage("op-x", bytes)).rejects.toEqual(refused("CUSTODY_PACKAGE_CORRUPT"));
    expect(ground.audit.records.slice(-2)).toMatchObject([
      { change: "making", actor: "op-x" },
      { change: "withdrawn" },
    ]);
    expect(keyring.list()).toHaveLength(1);
  });

  it.each([
    [
      "another tenant's package",
      () => keyring.importPackage("op", packageOf(newPrivate(), "other")),
      "CUSTODY_PACKAGE_FOREIGN",
    ],
    ["what is no package", () => keyring.importPackage("op", Buffer.from("{}")), "CUSTODY_PACKAGE_MALFORMED"],
    ["a short key", () => keyring.importKey("op", Buffer.alloc(31, 1), { state: "next" }), "CUSTODY_KEY_INVALID"],
    ["no key", () => keyring.importKey("op", Buffer.alloc(0), { state: "retired" }), "CUSTODY_KEY_INVALID"],
    ["the import key", () => keyring.importKey("op", importKeyOf(), { state: "next" }), "CUSTODY_KEY_INVALID"],
  ])("are refused: %s", async (_, change, code) => {
    await expect(change()).rejects.toEqual(refused(code));
    expect([keyring.list().length, ground.store.keys.size]).toEqual([1, 2]);
  });

  function importKeyOf(): Buffer {
    const key = ground.store.keys.get(keyring.packageKey.keyId);
    if (key === undefined) throw new Error("no import key");
    return key.export({ format: "raw-private" });
  }
});
