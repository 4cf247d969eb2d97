import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { compactVerify } from "jose";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPkcs11Signer } from "../../certs/signers/pkcs11.ts";
import { openPkcs11, type Pkcs11Session } from "../../certs/signers/pkcs11-session.ts";
import { signJws } from "../../certs/signers/sign-jws.ts";
import { describeKeyStore } from "../../custody/backends/contract/key-store-contract.ts";
import { buffers, opened, PLAINTEXT, rawKey, seal } from "../../custody/backends/contract/key-store-samples.ts";
import type { KeyStore } from "../../custody/backends/key-store.ts";
import { openPkcs11Store } from "../../custody/backends/pkcs11.ts";
import { hpkeDecapsulate, importX25519Private } from "../../protocol/hpke.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";

const soft = new SoftToken();
afterAll(() => soft.remove());

let made = 0;
const ref = (changes = {}) => ({
  kind: "pkcs11" as const,
  module: SOFTHSM,
  token: soft.token,
  pinFile: soft.pinFile,
  keyPrefix: `store-${made}`,
  ...changes,
});

describeKeyStore("PKCS #11", {
  create: () => {
    made += 1;
    return openPkcs11Store(ref());
  },
  reopen: () => openPkcs11Store(ref()),
});

const refusal = async (promise: Promise<unknown>): Promise<unknown> => promise.catch((thrown: unknown) => thrown);

describe("a key store on a PKCS #11 token", () => {
  let store: KeyStore;
  let others: Pkcs11Session[] = [];
  beforeEach(async () => {
    made += 1;
    store = await openPkcs11Store(ref());
  });
  afterEach(async () => {
    await store.close();
    for (const session of others) session.close();
    others = [];
  });

  /** Another session with the token, as any other program of its user has one. */
  const session = async (): Promise<Pkcs11Session> => {
    const own = await openPkcs11(ref());
    others.push(own);
    return own;
  };
  const privateKey = async (label: string) => {
    const own = await session();
    const { lib, api, handle } = own;
    const wanted = { type: lib.CKA_LABEL, value: label };
    api.C_FindObjectsInit(handle, [{ type: lib.CKA_CLASS, value: lib.CKO_PRIVATE_KEY }, wanted]);
    const found = api.C_FindObjects(handle, 10);
    api.C_FindObjectsFinal(handle);
    expect(found).toHaveLength(1);
    return { ...own, object: found[0] ?? Buffer.alloc(0) };
  };
  /** Makes a key as `generate` does, with some of its attributes changed. */
  const makeKey = async (label: string, changed: { readonly extractable: boolean }) => {
    const { lib, api, handle } = await session();
    const params = { type: lib.CKA_EC_PARAMS, value: Buffer.from("06032b656e", "hex") };
    api.C_GenerateKeyPair(
      handle,
      { mechanism: 0x1055 },
      [{ type: lib.CKA_TOKEN, value: false }, params],
      [
        { type: lib.CKA_TOKEN, value: true },
        { type: lib.CKA_LABEL, value: label },
        { type: lib.CKA_SENSITIVE, value: true },
        { type: lib.CKA_EXTRACTABLE, value: changed.extractable },
        { type: lib.CKA_DERIVE, value: true },
      ],
    );
  };

  test("says that SoftHSM is software, and that its keys are used where they are", () => {
    const where = `pkcs11:token=${soft.token};prefix=store-${made}`;
    expect(store.facts).toEqual({ kind: "pkcs11", custodyClass: "software", keysInUse: "on-device", where });
  });

  test("makes keys that were never readable, and gives an imported one out no more", async () => {
    const generated = await store.generate();
    const imported = await store.importKey(rawKey());
    for (const [{ keyId }, history] of [
      [generated, 1],
      [imported, 0],
    ] as const) {
      const { lib, api, handle, object } = await privateKey(`store-${made}-kem-${keyId}`);
      const asked = [lib.CKA_SENSITIVE, lib.CKA_PRIVATE, lib.CKA_NEVER_EXTRACTABLE, lib.CKA_LOCAL, lib.CKA_EXTRACTABLE];
      const values = asked.map((type) => api.C_GetAttributeValue(handle, object, [{ type }])[0]?.value as Buffer);
      expect(values.map((value) => value[0])).toEqual([1, 1, history, history, 0]);
      expect(() => api.C_GetAttributeValue(handle, object, [{ type: lib.CKA_VALUE }])).toThrow(/SENSITIVE/);
    }
  });

  test("agrees with OpenSSL on every public key of Wycheproof's file", async () => {
    const raw = rawKey();
    const own = importX25519Private(raw);
    const { keyId } = await store.importKey(raw);
    const file = JSON.parse(readFileSync(join(import.meta.dirname, "../fixtures/wycheproof/x25519_test.json"), "utf8"));
    const cases: { public: string }[] = file.testGroups.flatMap((group: { tests: unknown[] }) => group.tests);
    const points = cases.map((each) => Buffer.from(each.public, "hex"));
    const expected = points.map((enc) => {
      try {
        return Buffer.from(hpkeDecapsulate(own, enc));
      } catch {
        return null;
      }
    });
    expect(expected).toContain(null);
    expect(buffers(await store.decapsulate(keyId, points))).toEqual(expected);
  });

  test("leaves no Diffie-Hellman output on the token", async () => {
    const { keyId, publicKey } = await store.generate();
    await store.decapsulate(keyId, [seal(publicKey).enc, Buffer.alloc(32), Buffer.alloc(3), seal(publicKey).enc]);
    const { lib, api, handle } = await session();
    for (const type of [lib.CKO_SECRET_KEY, lib.CKO_DATA]) {
      api.C_FindObjectsInit(handle, [{ type: lib.CKA_CLASS, value: type }]);
      expect(api.C_FindObjects(handle, 10)).toEqual([]);
      api.C_FindObjectsFinal(handle);
    }
  });

  test.each([
    ["its sessions are closed", ({ api, slot }: Pkcs11Session) => api.C_CloseAllSessions(slot)],
    ["its user is logged out", ({ api, handle }: Pkcs11Session) => api.C_Logout(handle)],
    [
      "its token is out for a moment",
      () => {
        renameSync(join(soft.folder, "tokens"), join(soft.folder, "out"));
        renameSync(join(soft.folder, "out"), join(soft.folder, "tokens"));
      },
    ],
  ])("goes on when %s behind its back", async (_, disturb) => {
    const { keyId, publicKey } = await store.generate();
    const { enc, ciphertext } = seal(publicKey);
    disturb(await session());
    expect(await opened(store, keyId, enc, ciphertext)).toEqual(PLAINTEXT);
    disturb(await session());
    await compactVerify(await signJws(store.signer, {}, Buffer.from("data")), store.signer.publicKey);
    disturb(await session());
    expect(await store.list()).toEqual([{ keyId, publicKey }]);
    await store.generate();
    await store.destroy(keyId);
    expect(await store.list()).toHaveLength(1);
  });

  test("refuses all while its token is out, and goes on when it is back", async () => {
    const { keyId, publicKey } = await store.generate();
    const { enc, ciphertext } = seal(publicKey);
    renameSync(join(soft.folder, "tokens"), join(soft.folder, "out"));
    const calls = [
      () => store.decapsulate(keyId, [enc]),
      () => store.decapsulate(keyId, [enc]),
      () => store.generate(),
      () => store.importKey(rawKey()),
      () => store.destroy(keyId),
      () => store.list(),
      () => signJws(store.signer, {}, Buffer.from("data")),
    ];
    for (const call of calls) expect(await refusal(call())).toMatchObject({ code: "SIGNER_TOKEN_MISSING", exit: 4 });
    renameSync(join(soft.folder, "out"), join(soft.folder, "tokens"));
    expect(await opened(store, keyId, enc, ciphertext)).toEqual(PLAINTEXT);
    expect(await store.list()).toEqual([{ keyId, publicKey }]);
    await compactVerify(await signJws(store.signer, {}, Buffer.from("data")), store.signer.publicKey);
  });

  test("has no key any more that was removed with the token's own tools", async () => {
    const { keyId, publicKey } = await store.generate();
    const { api, handle, object } = await privateKey(`store-${made}-kem-${keyId}`);
    api.C_DestroyObject(handle, object);
    expect(await refusal(store.decapsulate(keyId, [seal(publicKey).enc]))).toMatchObject({
      code: "CUSTODY_KEY_MISSING",
    });
    await store.destroy(keyId);
    expect(await store.list()).toEqual([]);
  });

  test("shows a key that was made and never named, by its own key id, and destroys it", async () => {
    await makeKey(`store-${made}-kem-new`, { extractable: false });
    await makeKey(`store-${made}-kem-0000000000000000`, { extractable: false });
    await store.close();
    store = await openPkcs11Store(ref());
    const left = await store.list();
    expect(left).toHaveLength(2);
    for (const { keyId, publicKey } of left) {
      expect(keyId).not.toBe("0000000000000000");
      const { enc, ciphertext } = seal(publicKey);
      expect(await opened(store, keyId, enc, ciphertext)).toEqual(PLAINTEXT);
      await store.destroy(keyId);
    }
    await store.close();
    store = await openPkcs11Store(ref());
    expect(await store.list()).toEqual([]);
  });

  test("leaves the keys of other prefixes alone", async () => {
    for (const label of [`store-${made}-kem-kem-new`, `store-${made}-other`, `store-${made}0-kem-new`, "kem-new"])
      await makeKey(label, { extractable: false });
    await store.close();
    store = await openPkcs11Store(ref());
    expect(await store.list()).toEqual([]);
  });

  test("is refused with a key that can be read out", async () => {
    await store.close();
    await makeKey(`store-${made}-kem-new`, { extractable: true });
    expect(await refusal(openPkcs11Store(ref()))).toMatchObject({ code: "CUSTODY_STORE_KEY_EXTRACTABLE", exit: 5 });
  });

  test("is refused with keys and no signer: another one could not vouch for what the first did", async () => {
    await store.generate();
    await store.close();
    const { api, handle, object } = await privateKey(`store-${made}-audit`);
    api.C_DestroyObject(handle, object);
    expect(await refusal(openPkcs11Store(ref()))).toMatchObject({ code: "CUSTODY_STORE_INCOMPLETE", exit: 4 });
  });

  test("makes its signer anew when the making was cut short", async () => {
    await store.close();
    const { api, handle, object } = await privateKey(`store-${made}-audit`);
    api.C_DestroyObject(handle, object);
    store = await openPkcs11Store(ref());
    await compactVerify(await signJws(store.signer, {}, Buffer.from("data")), store.signer.publicKey);
  });

  test("is refused with a signer on another curve", async () => {
    made += 1;
    await (await createPkcs11Signer({ ...ref(), label: `store-${made}-audit` }, "P-384")).close();
    expect(await refusal(openPkcs11Store(ref()))).toMatchObject({ code: "SIGNER_CURVE_UNSUPPORTED", exit: 2 });
  });

  test.each([
    ["a wrong PIN", () => ({ pinFile: soft.pinIn("wrong", "00000000") }), "SIGNER_PIN_WRONG", 3],
    ["no file of the PIN", () => ({ pinFile: join(soft.folder, "none") }), "SIGNER_SECRET_UNREADABLE", 2],
    ["another token", () => ({ token: "another" }), "SIGNER_TOKEN_MISSING", 4],
    ["no library", () => ({ module: "/nonexistent/token.so" }), "SIGNER_MODULE_MISSING", 2],
  ])("is refused with %s, and opens when that is mended", async (_, changed, code, exit) => {
    await store.close();
    const thrown = await refusal(openPkcs11Store(ref(changed())));
    expect(thrown).toMatchObject({ code, exit });
    expect(inspect(thrown, { depth: 9 })).not.toMatch(new RegExp(`${soft.pin}|00000000`));
    store = await openPkcs11Store(ref());
    expect(await store.list()).toEqual([]);
  });

  test("is refused when two tokens have its token's name", async () => {
    await store.close();
    soft.make("twice");
    soft.make("twice");
    expect(await refusal(openPkcs11Store(ref({ token: "twice" })))).toMatchObject({ code: "SIGNER_TOKEN_MISSING" });
  });
});
