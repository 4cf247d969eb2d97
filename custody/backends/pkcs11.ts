import { createPublicKey } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Pkcs11Session, Pkcs11Token } from "../../certs/signers/pkcs11-session.ts";
import { importX25519Private, keyIdOf } from "../../protocol/hpke.ts";
import { custodyErrors } from "../errors.ts";
import { custodyStoreErrors } from "./errors.ts";
import type { CustodyClass, KeyStore, StoredKey } from "./key-store.ts";
import { connectPkcs11, type Pkcs11Connection } from "./pkcs11/connection.ts";
import { sharedSecret } from "./pkcs11/derive.ts";
import { generateKey, importPrivateKey, scanKeys, type TokenKey } from "./pkcs11/keys.ts";
import { openTokenSigner } from "./pkcs11/signer.ts";

/** Keys on a PKCS #11 token: `<keyPrefix>-kem-<key id>`, and the signer `<keyPrefix>-audit`. */
export interface Pkcs11StoreRef extends Pkcs11Token {
  readonly kind: "pkcs11";
  readonly keyPrefix: string;
}

/** What a session has read from its token. */
interface Loaded {
  readonly session: Pkcs11Session;
  readonly keys: Map<string, TokenKey>;
}

/** So long, at some 5,000 a second, the rest of the process waits. */
const ITEMS_AT_ONCE = 32;

/** Tokens that are programs: their keys are files of the machine. */
const SOFTWARE_TOKENS = /softhsm|kryoptic|opencryptoki|\bnss\b|simulator/i;

/**
 * A store whose keys are made on a PKCS #11 token and used there: this process gets Diffie-Hellman outputs alone. Only one
 * that is imported was ever outside. A token that was pulled out and came back, and a session that ended, are met by
 * opening another one.
 * @throws CUSTODY_STORE_KEY_EXTRACTABLE, CUSTODY_STORE_INCOMPLETE, every SIGNER_ code of a token
 */
export async function openPkcs11Store(ref: Pkcs11StoreRef): Promise<KeyStore> {
  const load = (session: Pkcs11Session): Loaded => ({ session, keys: scanKeys(session, ref.keyPrefix) });
  const connection = connectPkcs11({ token: ref, load });
  try {
    const { custodyClass, count } = await connection.run(({ session, keys }) => ({
      custodyClass: classOf(session),
      count: keys.size,
    }));
    const sign = <R>(use: (session: Pkcs11Session) => R) => connection.run(({ session }) => use(session));
    const signer = await openTokenSigner(ref, ref.keyPrefix, count, sign);
    const where = `pkcs11:token=${ref.token};prefix=${ref.keyPrefix}`;
    return {
      facts: { kind: "pkcs11", custodyClass, keysInUse: "on-device", where },
      signer,
      ...keysOf(ref, connection),
    };
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

function keysOf(ref: Pkcs11StoreRef, connection: Pkcs11Connection<Loaded>): Omit<KeyStore, "facts" | "signer"> {
  return {
    list: () =>
      connection.run(({ keys }) => [...keys.values()].map(publicHalf).sort((a, b) => (a.keyId < b.keyId ? -1 : 1))),
    generate: () =>
      connection.run(({ session, keys }) => {
        const key = generateKey(session, ref.keyPrefix);
        keys.set(key.keyId, key);
        return publicHalf(key);
      }),
    importKey: async (privateKey) => {
      const keyId = keyIdOfPrivate(privateKey);
      return connection.run(({ session, keys }) => {
        const key = keys.get(keyId) ?? importPrivateKey(session, privateKey, ref.keyPrefix, keyId);
        keys.set(keyId, key);
        return publicHalf(key);
      });
    },
    destroy: (keyId) =>
      connection.run(({ session, keys }) => {
        for (const handle of keys.get(keyId)?.handles ?? []) session.api.C_DestroyObject(session.handle, handle);
        keys.delete(keyId);
      }),
    decapsulate: (keyId, encapsulated) => decapsulate(connection, keyId, encapsulated, ref.token),
    close: () => connection.close(),
  };
}

async function decapsulate(
  connection: Pkcs11Connection<Loaded>,
  keyId: string,
  encapsulated: readonly Uint8Array[],
  token: string,
): Promise<readonly (Uint8Array | null)[]> {
  const secrets: (Uint8Array | null)[] = [];
  do {
    if (secrets.length > 0) await nextTurn();
    const some = encapsulated.slice(secrets.length, secrets.length + ITEMS_AT_ONCE);
    const opened = await connection.run(({ session, keys }) => {
      const key = keys.get(keyId);
      const [handle] = key?.handles ?? [];
      if (key && handle) return some.map((each) => sharedSecret(session, handle, key.rawPublic, each));
      throw custodyStoreErrors.error("CUSTODY_KEY_MISSING", `there is no key "${keyId}"`, { path: token });
    });
    secrets.push(...opened);
  } while (secrets.length < encapsulated.length);
  return secrets;
}

function keyIdOfPrivate(privateKey: Uint8Array): string {
  if (privateKey.length !== 32) {
    throw custodyErrors.error("CUSTODY_KEY_INVALID", `the key has ${privateKey.length} bytes, accepted: 32`);
  }
  const raw = createPublicKey(importX25519Private(privateKey)).export({ format: "raw-public" });
  return keyIdOf(raw).toString("hex");
}

function publicHalf({ keyId, publicKey }: TokenKey): StoredKey {
  return { keyId, publicKey };
}

function classOf({ api, slot }: Pkcs11Session): CustodyClass {
  const library = api.C_GetInfo();
  const token = api.C_GetTokenInfo(slot);
  const said = [library.manufacturerID, library.libraryDescription, token.manufacturerID, token.model].join("\n");
  return SOFTWARE_TOKENS.test(said) ? "software" : "hardware";
}
