import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hpkeSeal, keyIdOf, openWithSharedSecret, TELEMETRY_INFO } from "../../protocol/hpke.ts";
import { type NewGeneration, planTransition } from "../generation.ts";
import type { CustodyBackend, KemItem } from "./backend.ts";

/** A back end under test. */
export interface BackendUnderTest {
  /** An empty one. */
  readonly create: () => Promise<CustodyBackend>;
  /** The one that `create` made last, opened again as after a restart. */
  readonly reopen: () => Promise<CustodyBackend>;
}

const TIME = "2026-01-01T00:00:00.000Z";
const ACTIVE: NewGeneration = { state: "active", createdAt: TIME, notBefore: TIME };
const AAD = Buffer.from("aad");
const PLAINTEXT = Buffer.from("what the sensor measured");

/** The rules that every back end keeps; a new back end runs them in its own test. */
export function describeBackend(name: string, { create, reopen }: BackendUnderTest): void {
  describe(`custody back end ${name}`, () => {
    it("starts without generations", async () => {
      expect((await create()).list()).toEqual([]);
    });

    it("opens what was sealed to a generated key, before and after a restart", async () => {
      const backend = await create();
      const { publicKey } = await backend.generate(ACTIVE);
      const { item, ciphertext } = seal(publicKey);
      expect(await open(backend, item, ciphertext)).toEqual(PLAINTEXT);
      expect(await open(await reopen(), item, ciphertext)).toEqual(PLAINTEXT);
    });

    it("keeps every generation and its order over a restart", async () => {
      const backend = await create();
      await backend.generate(ACTIVE);
      await backend.generate({ ...ACTIVE, state: "next", notBefore: "2026-02-01T00:00:00.000Z" });
      expect((await reopen()).list()).toEqual(backend.list());
      expect(backend.list().map(({ state }) => state)).toEqual(["active", "next"]);
    });

    it("answers a batch in order, each item by itself", async () => {
      const backend = await create();
      const { item } = seal((await backend.generate(ACTIVE)).publicKey);
      const unknown = { ...item, keyId: Buffer.alloc(8, 7) };
      const lowOrder = { ...item, encapsulatedKey: Buffer.alloc(32) };
      const results = await backend.decapsulate([unknown, item, lowOrder, item]);
      expect(results[0]).toBe("unknown-key");
      expect(results[1]).toHaveLength(32);
      expect(results[2]).toBe("decapsulation-failed");
      expect(results[3]).toEqual(results[1]);
      expect(await backend.decapsulate([])).toEqual([]);
    });

    it("takes an imported key once, and leaves it as it is the second time", async () => {
      const backend = await create();
      const raw = Buffer.from(generateKeyPairSync("x25519").privateKey.export({ format: "jwk" }).d ?? "", "base64url");
      const first = await backend.importKey(raw, { ...ACTIVE, state: "retired" });
      expect(await backend.importKey(raw, ACTIVE)).toEqual(first);
      expect(backend.list()).toEqual([first]);
      const { item, ciphertext } = seal(first.publicKey);
      expect(await open(await reopen(), item, ciphertext)).toEqual(PLAINTEXT);
    });

    it.each([0, 31, 33])("refuses to import a key of %i bytes", async (length) => {
      const backend = await create();
      await expect(backend.importKey(Buffer.alloc(length, 1), ACTIVE)).rejects.toMatchObject({
        code: "CUSTODY_KEY_INVALID",
      });
      expect(backend.list()).toEqual([]);
    });

    it("opens with a retired key, and never again with a destroyed one", async () => {
      const backend = await create();
      const old = await backend.generate(ACTIVE);
      const { item } = seal(old.publicKey);
      const young = await backend.generate({ ...ACTIVE, state: "next" });
      await backend.transition(planTransition(backend.list(), young.keyId, "active"));
      expect(backend.list().map(({ state }) => state)).toEqual(["retired", "active"]);
      expect((await backend.decapsulate([item]))[0]).toHaveLength(32);
      await backend.transition(planTransition(backend.list(), old.keyId, "destroyed"));
      expect(await backend.decapsulate([item])).toEqual(["unknown-key"]);
      expect(await (await reopen()).decapsulate([item])).toEqual(["unknown-key"]);
    });

    it("applies changes that are asked for at once one after the other", async () => {
      const backend = await create();
      await Promise.all([backend.generate(ACTIVE), backend.generate({ ...ACTIVE, state: "next" })]);
      expect((await reopen()).list()).toHaveLength(2);
    });

    it("shows no private key in what it lists, and opens nothing once closed", async () => {
      const backend = await create();
      const { item } = seal((await backend.generate(ACTIVE)).publicKey);
      expect(Object.keys(backend.list()[0] ?? {}).sort()).toEqual([
        "createdAt",
        "keyId",
        "notBefore",
        "publicKey",
        "state",
      ]);
      backend.close();
      expect(await backend.decapsulate([item])).toEqual(["unknown-key"]);
    });
  });
}

function seal(publicKey: string): { readonly item: KemItem; readonly ciphertext: Uint8Array } {
  const raw = Buffer.from(publicKey, "hex");
  const { enc, ciphertext } = hpkeSeal(raw, TELEMETRY_INFO, AAD, PLAINTEXT);
  return { item: { keyId: keyIdOf(raw), encapsulatedKey: enc }, ciphertext };
}

async function open(backend: CustodyBackend, item: KemItem, ciphertext: Uint8Array): Promise<Buffer | null> {
  const [secret] = await backend.decapsulate([item]);
  if (!(secret instanceof Uint8Array)) return null;
  const plaintext = openWithSharedSecret(secret, TELEMETRY_INFO, AAD, ciphertext);
  return plaintext && Buffer.from(plaintext);
}
