import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
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
const changes = () => ground.audit.records.flatMap((record) => (record.kind === "generation" ? [record.change] : []));
const refused = (code: string) => expect.objectContaining({ code });
const UNKNOWN = "0".repeat(16);

function packageOf(privateKey: Uint8Array, tenant = "acme"): Buffer {
  const metadata = { tenant, createdAt: "2026-01-01T00:00:00.000Z" };
  return Buffer.from(sealGenerationPackage({ importKey: keyring.packageKey.publicKey, privateKey, metadata }));
}

describe("a new keyring", () => {
  it("has one generation, active, and an import key that is none", async () => {
    expect(keyring.list()).toMatchObject([
      { state: "active", origin: "generated", suite: "X25519-HKDF-SHA256/AES-128-GCM" },
    ]);
    expect(ground.store.keys.size).toBe(2);
    expect(keyring.list().map(({ keyId }) => keyId)).not.toContain(keyring.packageKey.keyId);
    expect(changes()).toEqual(["making", "generated"]);
  });

  it("comes back as it was, and records nothing for that", async () => {
    const before = [keyring.list(), keyring.packageKey, ground.audit.records.length];
    const again = await ground.open();
    expect([again.list(), again.packageKey, ground.audit.records.length]).toEqual(before);
    expect(await opens(again, activeOf(again))).toBe(true);
  });

  it("keeps its state in a file that its user alone reads, without a private key in it", () => {
    expect(statSync(ground.file).mode & 0o777).toBe(0o600);
    const text = readFileSync(ground.file, "utf8") + JSON.stringify(ground.audit.records);
    for (const key of ground.store.keys.values()) {
      const raw = key.export({ format: "raw-private" });
      for (const form of ["hex", "base64", "base64url"] as const) expect(text).not.toContain(raw.toString(form));
    }
  });

  it("never opens what is sealed to its import key", async () => {
    const sealed = { ...activeOf(keyring), ...keyring.packageKey };
    expect(await opens(keyring, sealed)).toBe(false);
    expect(await opens(keyring, sealed, "stored")).toBe(false);
  });
});

describe("changes of a keyring", () => {
  it("rotate: the old generation opens until it is destroyed, the new one from the start", async () => {
    const old = activeOf(keyring);
    const next = await keyring.generate("op-admin", { state: "next", notBefore: "2027-01-01T00:00:00Z" });
    expect(next).toMatchObject({ state: "next", notBefore: "2027-01-01T00:00:00Z" });
    expect([await opens(keyring, old), await opens(keyring, next)]).toEqual([true, true]);
    expect(await keyring.activate("op-admin", next.keyId)).toMatchObject({
      state: "active",
      activatedAt: expect.any(String),
    });
    expect(states()).toEqual(["retired", "active"]);
    expect([await opens(keyring, old), await opens(keyring, next)]).toEqual([true, true]);
    expect(await keyring.destroy("op-admin", old.keyId)).toMatchObject({
      state: "destroyed",
      destroyedAt: expect.any(String),
    });
    expect([await opens(keyring, old), await opens(keyring, next)]).toEqual([false, true]);
    expect(ground.store.keys.has(old.keyId)).toBe(false);
    expect(changes().slice(2)).toEqual(["making", "generated", "activated", "destroying", "destroyed"]);
  });

  it("make an active generation in one step", async () => {
    await keyring.generate("op-admin", { state: "active" });
    expect(states()).toEqual(["retired", "active"]);
    expect((await ground.open()).list()).toEqual(keyring.list());
  });

  it("happen one after the other when they are asked for at once", async () => {
    await Promise.all([1, 2, 3, 4].map(() => keyring.generate("op-admin", { state: "active" })));
    expect(states()).toEqual(["retired", "retired", "retired", "retired", "active"]);
    expect((await ground.open()).list()).toEqual(keyring.list());
  });

  it("name who asked for them", async () => {
    await keyring.generate("op-night", { state: "next" });
    expect(ground.audit.records.slice(-2)).toMatchObject([{ actor: "op-night" }, { actor: "op-night" }]);
  });

  it.each([
    ["activates none that it does not know", () => keyring.activate("op", UNKNOWN), "CUSTODY_GENERATION_UNKNOWN"],
    ["destroys none that it does not know", () => keyring.destroy("op", UNKNOWN), "CUSTODY_GENERATION_UNKNOWN"],
    ["never destroys the active one", () => keyring.destroy("op", activeOf(keyring).keyId), "CUSTODY_GENERATION_STATE"],
    [
      "never destroys the import key",
      () => keyring.destroy("op", keyring.packageKey.keyId),
      "CUSTODY_GENERATION_UNKNOWN",
    ],
    ["activates no active one", () => keyring.activate("op", activeOf(keyring).keyId), "CUSTODY_GENERATION_STATE"],
    [
      "takes no date that is none",
      () => keyring.generate("op", { state: "next", notBefore: "2026-02-30T00:00:00Z" }),
      "CUSTODY_CHANGE_INVALID",
    ],
    [
      "takes no time of another zone",
      () => keyring.generate("op", { state: "next", notBefore: "2026-01-01T00:00:00+01:00" }),
      "CUSTODY_CHANGE_INVALID",
    ],
    [
      "compromises nothing without a reason",
      () => keyring.compromise("op", activeOf(keyring).keyId, { stored: "block", reason: "" }),
      "CUSTODY_CHANGE_INVALID",
    ],
    [
      "compromises nothing with a reason of a book",
      () => keyring.compromise("op", activeOf(keyring).keyId, { stored: "block", reason: "x".repeat(501) }),
      "CUSTODY_CHANGE_INVALID",
    ],
    [
      "compromises none that it does not know",
      () => keyring.compromise("op", UNKNOWN, { stored: "block", reason: "found" }),
      "CUSTODY_GENERATION_UNKNOWN",
    ],
  ])("refused: it %s, and nothing is recorded", async (_, change, code) => {
    const before = [keyring.list(), ground.audit.records.length, ground.store.keys.size];
    await expect(change()).rejects.toEqual(refused(code));
    expect([keyring.list(), ground.audit.records.length, ground.store.keys.size]).toEqual(before);
  });
});

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

describe("a closed keyring", () => {
  it("opens nothing and changes nothing, and waits for what was asked for before", async () => {
    const active = activeOf(keyring);
    const asked = keyring.generate("op-admin", { state: "next" });
    await keyring.close();
    expect(await asked).toMatchObject({ state: "next" });
    for (const late of [
      () => opens(keyring, active),
      () => keyring.generate("op", { state: "next" }),
      () => keyring.destroy("op", active.keyId),
    ])
      await expect(late()).rejects.toEqual(refused("CUSTODY_KEYRING_CLOSED"));
    expect((await ground.open()).list()).toHaveLength(2);
  });

  it("is made in a folder that is there already, too", async () => {
    const other = await newGround();
    mkdirSync(other.folder, { recursive: true });
    expect((await other.open()).list()).toHaveLength(1);
    rmSync(other.folder, { recursive: true });
  });
});
