import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { hpkeDecapsulate, importX25519Private, keyIdOf } from "../../protocol/hpke.ts";
import { custodyErrors } from "../errors.ts";
import type { Generation, NewGeneration, StateChange } from "../generation.ts";
import type { CustodyBackend, KemItem, KemResult } from "./backend.ts";
import { corrupt, readSealedFile, type SealedFile, writeSealedFile } from "./sealed-file.ts";
import { type HeldGeneration, parseState, publicKeyOf, renderState } from "./state.ts";

/**
 * The file back end: raw X25519 private keys in one file, encrypted with a passphrase. Keys and passphrase are in this
 * process's memory while it is open. Destroying a key rewrites the file without it; copies of the old file, and blocks that
 * the disk still holds, are as safe as the passphrase.
 * @throws CUSTODY_PASSPHRASE_WRONG
 * @throws CUSTODY_STATE_CORRUPT
 * @throws CUSTODY_STATE_UNREADABLE
 */
export async function openFileBackend(file: SealedFile): Promise<CustodyBackend> {
  const held = new HeldKeys(await readGenerations(file));
  let writing: Promise<unknown> = Promise.resolve();

  /** One write after the other; memory follows the disk and never goes ahead of it. */
  function change<T>(plan: (generations: readonly HeldGeneration[]) => Planned<T>): Promise<T> {
    const done = writing.then(async () => {
      const { generations, result } = plan(held.generations);
      if (generations !== held.generations) {
        await writeSealedFile(file, renderState(generations));
        held.replace(generations);
      }
      return result;
    });
    writing = done.catch(() => undefined);
    return done;
  }

  const add = (privateKey: KeyObject, spec: NewGeneration): Promise<Generation> =>
    change((generations) => planAdd(generations, privateKey, spec));

  return {
    list: () => held.generations.map(withoutKey),
    generate: (spec) => add(generateKeyPairSync("x25519").privateKey, spec),
    importKey: async (privateKey, spec) => add(importRaw(privateKey), spec),
    transition: (changes) =>
      change((generations) => ({ generations: applyChanges(generations, changes), result: undefined })),
    decapsulate: async (items) => items.map((item) => held.open(item)),
    close: () => held.replace([]),
  };
}

interface Planned<T> {
  readonly generations: readonly HeldGeneration[];
  readonly result: T;
}

/** Generations by key id, for the hot path. */
class HeldKeys {
  generations: readonly HeldGeneration[] = [];
  #byKeyId = new Map<string, KeyObject>();

  constructor(generations: readonly HeldGeneration[]) {
    this.replace(generations);
  }

  replace(generations: readonly HeldGeneration[]): void {
    this.generations = generations;
    this.#byKeyId = new Map(generations.flatMap(({ keyId, privateKey }) => (privateKey ? [[keyId, privateKey]] : [])));
  }

  open({ keyId, encapsulatedKey }: KemItem): KemResult {
    const privateKey = this.#byKeyId.get(Buffer.from(keyId.buffer, keyId.byteOffset, keyId.length).toString("hex"));
    if (!privateKey) return "unknown-key";
    try {
      return hpkeDecapsulate(privateKey, encapsulatedKey);
    } catch {
      // RFC 9180 section 7.1.4: a shared secret of all zeros, from a point of low order.
      return "decapsulation-failed";
    }
  }
}

async function readGenerations(file: SealedFile): Promise<readonly HeldGeneration[]> {
  const plaintext = await readSealedFile(file);
  if (!plaintext) return [];
  const parsed = parseState(plaintext);
  plaintext.fill(0);
  if ("defect" in parsed) throw corrupt(file.path, parsed.defect);
  return parsed;
}

function importRaw(privateKey: Uint8Array): KeyObject {
  if (privateKey.length === 32) return importX25519Private(privateKey);
  throw custodyErrors.error("CUSTODY_KEY_INVALID", `the key has ${privateKey.length} bytes, accepted: 32`);
}

function planAdd(
  generations: readonly HeldGeneration[],
  privateKey: KeyObject,
  spec: NewGeneration,
): Planned<Generation> {
  const raw = publicKeyOf(privateKey);
  const keyId = keyIdOf(raw).toString("hex");
  const there = generations.find((candidate) => candidate.keyId === keyId);
  if (there) return { generations, result: withoutKey(there) };
  const added: HeldGeneration = { keyId, publicKey: raw.toString("hex"), ...spec, privateKey };
  return { generations: [...generations, added], result: withoutKey(added) };
}

function applyChanges(
  generations: readonly HeldGeneration[],
  changes: readonly StateChange[],
): readonly HeldGeneration[] {
  const stateOf = new Map(changes.map(({ keyId, state }) => [keyId, state]));
  return generations.map((generation) => {
    const state = stateOf.get(generation.keyId) ?? generation.state;
    return { ...generation, state, privateKey: state === "destroyed" ? null : generation.privateKey };
  });
}

function withoutKey({ keyId, publicKey, state, createdAt, notBefore }: HeldGeneration): Generation {
  return { keyId, publicKey, state, createdAt, notBefore };
}
