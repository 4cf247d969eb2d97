import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Keyring } from "./keyring.ts";
import { activeOf, type KeyringGround, newGround, opens } from "./test-support.ts";

let ground: KeyringGround;
let keyring: Keyring;

beforeEach(async () => {
  ground = await newGround();
  keyring = await ground.open();
});
afterEach(() => rmSync(ground.folder, { recursive: true, force: true }));

const states = () => keyring.list().map(({ state }) => state);
const changes = () => ground.audit.records.flatMap((record) => (record.kind === "generation" ? [record.change] : []));
const refused = (code: string) => expect.objectContaining({ code });
const UNKNOWN = "0".repeat(16);

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

describe("a closed keyring", () => {
  it("opens nothing and changes nothing, and waits for what was asked for before", async () => {
    const active = activeOf(keyring);
    const asked = keyring.generate("op-admin", { state: "next" });
    const order: string[] = [];
    void asked.then(() => order.push("asked"));
    await keyring.close();
    expect(order).toEqual(["asked"]);
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
