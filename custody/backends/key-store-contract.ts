import { generateKeyPairSync, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { compactVerify } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { signJws } from "../../certs/signers/sign-jws.ts";
import { hpkeSeal, openWithSharedSecret, prepareInfo } from "../../protocol/hpke.ts";
import type { KeyStore } from "./key-store.ts";

/** A back end under test. */
export interface KeyStoreUnderTest {
  /** An empty one, in a place of its own. */
  readonly create: () => Promise<KeyStore>;
  /** The one that `create` made last, opened again as after a restart. */
  readonly reopen: () => Promise<KeyStore>;
}

const INFO = prepareInfo(Buffer.from("key store contract"));
const AAD = Buffer.from("aad");
const PLAINTEXT = Buffer.from("what the sensor measured");
const DATA = Buffer.from("the session's public key");

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url), "utf8"));

interface Rfc9180Vector {
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
}

interface XdhCase {
  readonly public: string;
  readonly flags: readonly string[];
}

/** RFC 9180, appendix A.1.1: the suite of envelopes. */
const VECTORS: readonly Rfc9180Vector[] = fixture("rfc9180-mode0-x25519-sha256-aes128gcm.json");

/**
 * Every encoding of a point of small order, with the bit that X25519 masks set and unset: what gives an all-zero output
 * (RFC 7748, section 6.1), from Wycheproof.
 */
function lowOrderPoints(): readonly Buffer[] {
  const file: { testGroups: { tests: XdhCase[] }[] } = fixture("wycheproof/x25519_test.json");
  const zero = file.testGroups.flatMap(({ tests }) => tests).filter(({ flags }) => flags.includes("ZeroSharedSecret"));
  return [...new Set(zero.map((test) => test.public))].map(hex);
}

/** The rules that every back end keeps; a new one runs them in its own test. */
export function describeKeyStore(name: string, { create, reopen }: KeyStoreUnderTest): void {
  const open: KeyStore[] = [];
  const track = async (opening: Promise<KeyStore>): Promise<KeyStore> => {
    const store = await opening;
    open.push(store);
    return store;
  };
  const made = (): Promise<KeyStore> => track(create());
  const again = async (store: KeyStore): Promise<KeyStore> => {
    await store.close();
    return track(reopen());
  };
  const imported = async (): Promise<{ store: KeyStore; raw: Buffer; keyId: string }> => {
    const store = await made();
    const raw = rawKey();
    return { store, raw, keyId: (await store.importKey(raw)).keyId };
  };

  describe(`key store ${name}`, () => {
    afterEach(async () => {
      for (const store of open.splice(0)) await store.close();
    });

    it("starts without keys, and with a signer", async () => {
      const store = await made();
      expect(await store.list()).toEqual([]);
      expect(store.signer.curve).toBe("P-256");
    });

    it("opens what was sealed to a key that it made, before and after a restart", async () => {
      const store = await made();
      const key = await store.generate();
      expect(key.keyId).toBe(await keyIdOf(key.publicKey));
      const { enc, ciphertext } = seal(key.publicKey);
      expect(await opened(store, key.keyId, enc, ciphertext)).toEqual(PLAINTEXT);
      const later = await again(store);
      expect(await later.list()).toEqual([key]);
      expect(await opened(later, key.keyId, enc, ciphertext)).toEqual(PLAINTEXT);
    });

    it("makes another key each time, and two that are asked for at once", async () => {
      const store = await made();
      const keys = await Promise.all([store.generate(), store.generate()]);
      expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(2);
      const inOrder = keys.toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1));
      expect(await store.list()).toEqual(inOrder);
      expect(await (await again(store)).list()).toEqual(inOrder);
    });

    it.each(VECTORS)("opens the vector of RFC 9180, before and after a restart", async (vector) => {
      const store = await made();
      const { keyId, publicKey } = await store.importKey(hex(vector.skRm));
      expect(publicKey).toBe(vector.pkRm);
      const secret = [hex(vector.shared_secret)];
      expect(buffers(await store.decapsulate(keyId, [hex(vector.enc)]))).toEqual(secret);
      expect(buffers(await (await again(store)).decapsulate(keyId, [hex(vector.enc)]))).toEqual(secret);
    });

    it("answers a batch in order, each item by itself", async () => {
      const { store, keyId } = await imported();
      const [{ publicKey } = { publicKey: "" }] = await store.list();
      const sealed = Array.from({ length: 40 }, () => seal(publicKey));
      const asked = sealed.flatMap(({ enc }) => [enc, Buffer.alloc(32)]);
      const secrets = buffers(await store.decapsulate(keyId, asked));
      for (const [index, { ciphertext }] of sealed.entries()) {
        const secret = secrets[2 * index] ?? Buffer.alloc(0);
        expect(Buffer.from(openWithSharedSecret(secret, INFO, AAD, ciphertext) ?? [])).toEqual(PLAINTEXT);
        expect(secrets[2 * index + 1]).toBeNull();
      }
      expect(await store.decapsulate(keyId, [])).toEqual([]);
    });

    it("gives nothing for a point of low order (RFC 9180, section 7.1.4)", async () => {
      const { store, keyId } = await imported();
      const points = lowOrderPoints();
      expect(points).toHaveLength(14);
      expect(await store.decapsulate(keyId, points)).toEqual(points.map(() => null));
    });

    it.each([0, 1, 31, 33, 64])("gives nothing for an encapsulated key of %i bytes", async (length) => {
      const { store, keyId } = await imported();
      expect(await store.decapsulate(keyId, [Buffer.alloc(length, 9)])).toEqual([null]);
    });

    it.each(["0".repeat(16), "", "audit-signer", "import-key", "../../etc/passwd"])("has no key %j", async (keyId) => {
      const { store } = await imported();
      const enc = seal(rawPublic()).enc;
      await expect(store.decapsulate(keyId, [enc])).rejects.toMatchObject({ code: "CUSTODY_KEY_MISSING" });
      await store.destroy(keyId);
      expect(await store.list()).toHaveLength(1);
    });

    it("opens with one key nothing that was sealed to another", async () => {
      const { store, keyId } = await imported();
      const { enc, ciphertext } = seal((await store.generate()).publicKey);
      expect(await opened(store, keyId, enc, ciphertext)).toBeNull();
    });

    it("takes an imported key once, and leaves it as it is the second time", async () => {
      const { store, raw, keyId } = await imported();
      expect((await store.importKey(raw)).keyId).toBe(keyId);
      expect(await store.list()).toHaveLength(1);
      const later = await again(store);
      expect((await later.importKey(raw)).keyId).toBe(keyId);
      expect(await later.list()).toHaveLength(1);
    });

    it.each([0, 31, 33, 48])("refuses to import a key of %i bytes, and shows none of them", async (length) => {
      const store = await made();
      const thrown = await store.importKey(Buffer.alloc(length, 0x5a)).catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code: "CUSTODY_KEY_INVALID" });
      expect(inspect(thrown, { depth: 9 })).not.toMatch(/(5a|Wl){8}/i);
      expect(await store.list()).toEqual([]);
    });

    it("destroys a key for good, and that one alone", async () => {
      const { store, keyId } = await imported();
      const kept = await store.generate();
      const { enc } = seal(rawPublic());
      await store.destroy(keyId);
      await store.destroy(keyId);
      expect(await store.list()).toEqual([kept]);
      await expect(store.decapsulate(keyId, [enc])).rejects.toMatchObject({ code: "CUSTODY_KEY_MISSING" });
      const later = await again(store);
      expect(await later.list()).toEqual([kept]);
      await expect(later.decapsulate(keyId, [enc])).rejects.toMatchObject({ code: "CUSTODY_KEY_MISSING" });
      await later.destroy(keyId);
    });

    it("takes a destroyed key again when it is imported again", async () => {
      const { store, raw, keyId } = await imported();
      await store.destroy(keyId);
      expect((await store.importKey(raw)).keyId).toBe(keyId);
      expect(await (await again(store)).list()).toHaveLength(1);
    });

    it("signs ES256 with one signer, over a restart", async () => {
      const store = await made();
      const { publicKey, publicKeySpki } = store.signer;
      const { payload, protectedHeader } = await compactVerify(await signJws(store.signer, {}, DATA), publicKey);
      expect(Buffer.from(payload)).toEqual(DATA);
      expect(protectedHeader.alg).toBe("ES256");
      const later = await again(store);
      expect(later.signer.publicKeySpki).toEqual(publicKeySpki);
      await compactVerify(await signJws(later.signer, {}, DATA), publicKey);
    });

    it("gives its signer out to nobody", async () => {
      const { signer } = await made();
      expect(signer.signingKey).toMatchObject({ type: "private", extractable: false, usages: ["sign"] });
      await expect(signer.crypto.subtle.exportKey("pkcs8", signer.signingKey)).rejects.toThrow();
    });

    it("has another signer in each place", async () => {
      const first = (await made()).signer.publicKeySpki;
      expect((await made()).signer.publicKeySpki).not.toEqual(first);
    });

    it("shows no private key in what it says of itself", async () => {
      const { store, raw } = await imported();
      const said = [
        JSON.stringify([store.facts, await store.list(), store.signer.where]),
        inspect(store, { depth: 9 }),
      ];
      for (const form of [raw.toString("hex"), raw.toString("base64"), raw.toString("base64url")])
        expect(said.join("\n")).not.toContain(form);
      expect(store.facts.where.startsWith(`${store.facts.kind}:`)).toBe(true);
    });

    it("does nothing once it is closed, and closes twice", async () => {
      const { store, raw, keyId } = await imported();
      await store.close();
      const { enc } = seal(rawPublic());
      const calls = [
        () => store.list(),
        () => store.generate(),
        () => store.importKey(raw),
        () => store.destroy(keyId),
        () => store.decapsulate(keyId, [enc]),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "CUSTODY_STORE_CLOSED" });
      await store.close();
      expect((await (await track(reopen())).list()).map((key) => key.keyId)).toEqual([keyId]);
    });
  });
}

function rawKey(): Buffer {
  return generateKeyPairSync("x25519").privateKey.export({ format: "raw-private" });
}

function rawPublic(): string {
  return generateKeyPairSync("x25519").publicKey.export({ format: "raw-public" }).toString("hex");
}

async function keyIdOf(publicKey: string): Promise<string> {
  const digest = await webcrypto.subtle.digest("SHA-256", Uint8Array.from(hex(publicKey)));
  return Buffer.from(digest).subarray(0, 8).toString("hex");
}

function seal(publicKey: string): { readonly enc: Uint8Array; readonly ciphertext: Uint8Array } {
  return hpkeSeal(hex(publicKey), INFO, AAD, PLAINTEXT);
}

async function opened(store: KeyStore, keyId: string, enc: Uint8Array, ciphertext: Uint8Array): Promise<Buffer | null> {
  const [secret] = await store.decapsulate(keyId, [enc]);
  const plaintext = secret && openWithSharedSecret(secret, INFO, AAD, ciphertext);
  return plaintext ? Buffer.from(plaintext) : null;
}

function buffers(secrets: readonly (Uint8Array | null)[]): readonly (Buffer | null)[] {
  return secrets.map((secret) => secret && Buffer.from(secret));
}
