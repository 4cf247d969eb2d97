import { expect, it } from "vitest";
import {
  buffers,
  hex,
  lowOrderPoints,
  opened,
  openedWith,
  PLAINTEXT,
  rawPublic,
  type Stores,
  seal,
  VECTORS,
} from "./key-store-samples.ts";

/** What every back end makes of encapsulated keys (RFC 9180, section 4.1). */
export function decapsulates({ made, again, imported }: Stores): void {
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
      const secret = secrets[2 * index] ?? null;
      expect(openedWith(secret, ciphertext)).toEqual(PLAINTEXT);
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
}
