import { inspect } from "node:util";
import { compactVerify } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { signJws } from "../../../certs/signers/sign-jws.ts";
import type { KeyStore } from "../key-store.ts";
import { decapsulates } from "./key-store-contract-kem.ts";
import { keyIdOf, opened, PLAINTEXT, rawKey, rawPublic, type Stores, seal } from "./key-store-samples.ts";

/** A back end under test. */
export interface KeyStoreUnderTest {
  /** An empty one, in a place of its own. */
  readonly create: () => Promise<KeyStore>;
  /** The one that `create` made last, opened again as after a restart. */
  readonly reopen: () => Promise<KeyStore>;
}

const DATA = Buffer.from("the session's public key");

/** The rules that every back end keeps; a new one runs them in its own test. */
export function describeKeyStore(name: string, { create, reopen }: KeyStoreUnderTest): void {
  const open: KeyStore[] = [];
  const track = async (opening: Promise<KeyStore>): Promise<KeyStore> => {
    const store = await opening;
    open.push(store);
    return store;
  };
  const made = (): Promise<KeyStore> => track(create());
  const stores: Stores = {
    made,
    again: async (store) => {
      await store.close();
      return track(reopen());
    },
    imported: async () => {
      const store = await made();
      const raw = rawKey();
      return { store, raw, keyId: (await store.importKey(raw)).keyId };
    },
  };

  describe(`key store ${name}`, () => {
    afterEach(async () => {
      for (const store of open.splice(0)) await store.close();
    });
    keepsKeys(stores);
    decapsulates(stores);
    signsAndCloses(stores);
  });
}

function keepsKeys({ made, again, imported }: Stores): void {
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
}

function signsAndCloses({ made, again, imported }: Stores): void {
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
    const said = [JSON.stringify([store.facts, await store.list(), store.signer.where]), inspect(store, { depth: 9 })];
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
    expect((await (await again(store)).list()).map((key) => key.keyId)).toEqual([keyId]);
  });
}
