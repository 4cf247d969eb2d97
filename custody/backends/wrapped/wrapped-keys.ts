import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import { hpkeDecapsulate, importX25519Private, keyIdOf } from "../../../protocol/hpke.ts";
import { custodyErrors } from "../../errors.ts";
import { custodyStoreErrors } from "../errors.ts";
import type { KeyStore, KeyStoreFacts, StoredKey, WrappedTransfer } from "../key-store.ts";
import {
  corruptKey,
  type KeyFolder,
  openKey,
  placeKey,
  prepareKeyFolder,
  readKey,
  readWrappedKey,
  removeKey,
  SIGNER_NAME,
  writeKey,
} from "./key-folder.ts";
import { openWrappedSigner } from "./wrapped-signer.ts";

/** Where wrapped keys are, and what unwraps them. */
export interface WrappedKeys extends KeyFolder {
  readonly facts: KeyStoreFacts;
  /** Whether the wrapping key is a service's, which other custodies can be given access to. @default false */
  readonly shared?: boolean;
}

/** What an introduction is wrapped as: no key has that name. */
const INTRODUCTION = "audit-signer-public";

interface HeldKey extends StoredKey {
  readonly privateKey: KeyObject;
}

/**
 * A store whose keys are files that a {@link KeyWrap} protects. All of them are unwrapped when it is opened, and are in this
 * process's memory until it is closed. Destroying a key removes its file: a copy of it, and blocks that the disk still
 * holds, are as safe as the wrap.
 * @throws CUSTODY_STORE_UNREADABLE, CUSTODY_STORE_UNWRITABLE, CUSTODY_STORE_CORRUPT, CUSTODY_STORE_MISPLACED,
 * CUSTODY_STORE_FOREIGN, CUSTODY_STORE_INCOMPLETE, and what the wrap throws
 */
export async function openWrappedKeys(at: WrappedKeys): Promise<KeyStore> {
  try {
    const names = prepareKeyFolder(at.folder);
    const signer = await openWrappedSigner(at, names, at.facts.where);
    const held = new Map<string, HeldKey>();
    for (const name of names) if (name !== SIGNER_NAME) held.set(name, await readHeldKey(at, name));
    return storeOf(at, signer, held);
  } catch (thrown) {
    await at.wrap.close();
    throw thrown;
  }
}

function storeOf(at: WrappedKeys, signer: KeySigner, held: Map<string, HeldKey>): KeyStore {
  let closed = false;

  const keys = (): Map<string, HeldKey> => {
    if (!closed) return held;
    throw custodyStoreErrors.error("CUSTODY_STORE_CLOSED", "the store is closed", { path: at.facts.where });
  };
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const done = turn.then(change);
    turn = done.catch(() => undefined);
    return done;
  };
  const keep = async (privateKey: KeyObject): Promise<StoredKey> => {
    const { keyId } = holdKey(privateKey);
    const there = keys().get(keyId) ?? (await storeKey(at, keyId, privateKey));
    keys().set(keyId, there);
    return publicHalf(there);
  };

  const transfer: WrappedTransfer = {
    wrapped: async (keyId) => {
      if (!keys().has(keyId)) throw missingKey(at, keyId);
      return readWrappedKey(at, keyId);
    },
    adopt: (keyId, wrapped) =>
      inTurn(async () => {
        const there = keys().get(keyId) ?? (await adoptKey(at, keyId, wrapped));
        keys().set(keyId, there);
        return publicHalf(there);
      }),
    introduction: () => at.wrap.wrap(signer.publicKeySpki, INTRODUCTION),
    introduced: (introduction) => at.wrap.unwrap(introduction, INTRODUCTION),
  };

  return {
    facts: at.facts,
    signer,
    ...(at.shared === true ? { transfer } : {}),
    list: async () => [...keys().values()].map(publicHalf).sort((a, b) => (a.keyId < b.keyId ? -1 : 1)),
    generate: () => inTurn(() => keep(generateKeyPairSync("x25519").privateKey)),
    importKey: async (privateKey) => {
      const key = importRaw(privateKey);
      return inTurn(() => keep(key));
    },
    destroy: (keyId) =>
      inTurn(async () => {
        if (!keys().has(keyId)) return;
        removeKey(at.folder, keyId);
        held.delete(keyId);
      }),
    decapsulate: async (keyId, encapsulated) => {
      const key = keys().get(keyId);
      if (key) return encapsulated.map((each) => openOne(key.privateKey, each));
      throw missingKey(at, keyId);
    },
    close: async () => {
      closed = true;
      await turn;
      held.clear();
      await signer.close();
      await at.wrap.close();
    },
  };
}

/** Writes a key, and reads it back before anything is sealed to it: a key that does not open again is no key. */
async function storeKey(at: KeyFolder, keyId: string, privateKey: KeyObject): Promise<HeldKey> {
  const raw = privateKey.export({ format: "raw-private" });
  try {
    await writeKey(at, keyId, raw);
    return await readHeldKey(at, keyId);
  } catch (thrown) {
    removeKey(at.folder, keyId);
    throw thrown;
  } finally {
    raw.fill(0);
  }
}

/** Opens a key that came wrapped, writes it as it came, and reads it back: a file that opens nothing is not left behind. */
async function adoptKey(at: KeyFolder, keyId: string, wrapped: Uint8Array): Promise<HeldKey> {
  heldKeyOf(at, keyId, await openKey(at, keyId, wrapped));
  try {
    placeKey(at.folder, keyId, wrapped);
    return await readHeldKey(at, keyId);
  } catch (thrown) {
    removeKey(at.folder, keyId);
    throw thrown;
  }
}

async function readHeldKey(at: KeyFolder, name: string): Promise<HeldKey> {
  return heldKeyOf(at, name, await readKey(at, name));
}

/** @param raw filled with zeros */
function heldKeyOf(at: KeyFolder, name: string, raw: Buffer): HeldKey {
  try {
    if (raw.length !== 32) throw corruptKey(at.folder, name, `it has ${raw.length} bytes, accepted: 32`);
    const key = holdKey(importX25519Private(raw));
    if (key.keyId === name) return key;
    throw corruptKey(at.folder, name, `its key is "${key.keyId}"`);
  } finally {
    raw.fill(0);
  }
}

function missingKey({ facts }: WrappedKeys, keyId: string): Error {
  return custodyStoreErrors.error("CUSTODY_KEY_MISSING", `there is no key "${keyId}"`, { path: facts.where });
}

function holdKey(privateKey: KeyObject): HeldKey {
  const raw = createPublicKey(privateKey).export({ format: "raw-public" });
  return { keyId: keyIdOf(raw).toString("hex"), publicKey: raw.toString("hex"), privateKey };
}

function publicHalf({ keyId, publicKey }: HeldKey): StoredKey {
  return { keyId, publicKey };
}

function importRaw(privateKey: Uint8Array): KeyObject {
  if (privateKey.length === 32) return importX25519Private(privateKey);
  throw custodyErrors.error("CUSTODY_KEY_INVALID", `the key has ${privateKey.length} bytes, accepted: 32`);
}

function openOne(privateKey: KeyObject, encapsulated: Uint8Array): Uint8Array | null {
  try {
    return hpkeDecapsulate(privateKey, encapsulated);
  } catch {
    return null;
  }
}
