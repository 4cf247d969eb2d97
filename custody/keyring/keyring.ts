import type { AuditLog } from "../audit/log.ts";
import type { AuditRecord } from "../audit/record.ts";
import type { KeyStore, KeyStoreFacts, StoredKey } from "../backends/key-store.ts";
import { custodyErrors } from "../errors.ts";
import type { Compromise, Generation } from "../generation.ts";
import type { KemResult } from "../kem.ts";
import { openGenerationPackage } from "../package.ts";
import { Book, type GenerationRecord } from "./book.ts";
import { changeQueue } from "./change-queue.ts";
import {
  activate,
  type ChangePlace,
  compromise,
  destroy,
  found,
  generate,
  importCeremony,
  importFixture,
  type NewKey,
  stateOf,
} from "./changes.ts";
import { decapsulateRecorded, type KemRequest } from "./decapsulate.ts";
import { mayDestroyOrphans, recordedWriter, recoverState, unfinishedErasure } from "./recover.ts";
import { digestOf, type KeyringState, renderState } from "./state.ts";
import { corruptState, type StateFile, stateFileIn } from "./state-file.ts";

/** What {@link openKeyring} needs. Who opened store and log closes them, after the keyring. */
export interface KeyringOptions {
  readonly tenant: string;
  readonly store: KeyStore;
  readonly audit: Pick<AuditLog, "append" | "lastGenerations">;
  /** Of the state file, which is made with the first generation. One process at a time. */
  readonly folder: string;
  readonly clock: () => Date;
}

/**
 * The generations of a tenant's key. Every change and every use is in the audit log before it counts; changes happen one
 * after the other. What the store or the log throws comes out as it is, and then nothing was changed, and nothing is answered.
 */
export interface Keyring {
  readonly facts: KeyStoreFacts;
  /** The key that packages of ceremonies are sealed to. It is no generation, and opens no message. */
  readonly packageKey: StoredKey;
  /** Every generation ever made, oldest first, destroyed ones included. */
  readonly list: () => readonly Generation[];
  /**
   * Opens a batch; one result for each item, in order. The record of all of them is on the disk before the first one leaves.
   * A key id is unknown, too, when its generation is destroyed, or compromised and closed to this use.
   * @throws CUSTODY_KEYRING_CLOSED
   */
  readonly decapsulate: (request: KemRequest) => Promise<readonly KemResult[]>;
  /**
   * Makes a key in the store; an `active` one retires the active one.
   * @throws CUSTODY_CHANGE_INVALID, CUSTODY_KEYRING_CLOSED
   */
  readonly generate: (actor: string, spec: NewKey<"next" | "active">) => Promise<Generation>;
  /**
   * Takes the generation of a ceremony as `next`; one that is there already stays as it is.
   * @throws CUSTODY_PACKAGE_MALFORMED, CUSTODY_PACKAGE_FOREIGN, CUSTODY_PACKAGE_CORRUPT, CUSTODY_KEYRING_CLOSED
   * @throws CUSTODY_GENERATION_STATE when it was destroyed here
   */
  readonly importPackage: (actor: string, bytes: Uint8Array) => Promise<Generation>;
  /**
   * Takes the raw X25519 private key (32 bytes) of a published fixture; one that is there already stays as it is.
   * @throws CUSTODY_KEY_INVALID, CUSTODY_CHANGE_INVALID, CUSTODY_KEYRING_CLOSED
   * @throws CUSTODY_GENERATION_STATE when it was destroyed here
   */
  readonly importKey: (actor: string, privateKey: Uint8Array, spec: NewKey<"next" | "retired">) => Promise<Generation>;
  /**
   * Makes a `next` generation active, and retires the active one.
   * @throws CUSTODY_GENERATION_UNKNOWN, CUSTODY_GENERATION_STATE, CUSTODY_KEYRING_CLOSED
   */
  readonly activate: (actor: string, keyId: string) => Promise<Generation>;
  /**
   * Destroys the key of a `next` or `retired` generation. From the first record on it opens nothing; a second record says
   * that the key is gone. When the store cannot destroy it now, this rejects, and the next change or opening does it.
   * @throws CUSTODY_GENERATION_UNKNOWN, CUSTODY_GENERATION_STATE, CUSTODY_KEYRING_CLOSED
   */
  readonly destroy: (actor: string, keyId: string) => Promise<Generation>;
  /**
   * Declares that a private key is in other hands: it opens nothing live any more, and what is stored only where allowed.
   * An active generation is replaced by a new one.
   * @returns the active generation
   * @throws CUSTODY_GENERATION_UNKNOWN, CUSTODY_GENERATION_STATE, CUSTODY_CHANGE_INVALID, CUSTODY_KEYRING_CLOSED
   */
  readonly compromise: (
    actor: string,
    keyId: string,
    how: Pick<Compromise, "reason" | "stored">,
  ) => Promise<Generation>;
  /** The state in force as others may follow it; null while a change is under way. */
  readonly stated: () => StatedKeyring | null;
  /** Waits for the changes that were asked for. Everything rejects afterwards. */
  readonly close: () => Promise<void>;
}

/** A keyring's state, and where its log says so. */
export interface StatedKeyring {
  readonly state: KeyringState;
  /** Of which the records have the SHA-256. */
  readonly text: string;
  /** Number of the last record about a generation. */
  readonly record: number;
}

/** Actor of what custody does by itself. */
const CUSTODY = "custody";

/**
 * Opens the keyring of a tenant; makes an import key and the first generation where nothing was ever made. A change that
 * somebody died in is finished when its record is in the log, and undone when it is not.
 * @throws CUSTODY_STATE_CORRUPT when state, log and store do not fit: changed, rolled back, of another tenant
 * @throws CUSTODY_ROLE when this folder followed another custody
 * @throws CUSTODY_KEY_MISSING naming each generation whose key the store does not hold
 * @throws CUSTODY_STATE_UNREADABLE, CUSTODY_STATE_UNWRITABLE, and what store and log throw
 */
export async function openKeyring({ tenant, store, audit, folder, clock }: KeyringOptions): Promise<Keyring> {
  const file = stateFileIn(folder);
  const book = await openBook({ store, audit, file, tenant });
  const place = { book, store, clock };
  if (book.state === null) await found(place, tenant, CUSTODY);
  const queue = changeQueue(book);
  const kem = { store, audit, openers: () => book.openers };
  return {
    facts: store.facts,
    packageKey: stateOf(book).importKey,
    list: () => stateOf(book).generations,
    decapsulate: async (request) => {
      queue.assertOpen();
      return request.items.length === 0 ? [] : decapsulateRecorded(kem, request);
    },
    generate: (actor, spec) => queue.run(() => generate(place, actor, spec)),
    importPackage: (actor, bytes) => queue.run(() => takePackage(place, tenant, actor, bytes)),
    importKey: (actor, privateKey, spec) => queue.run(() => importFixture(place, actor, privateKey, spec)),
    activate: (actor, keyId) => queue.run(() => activate(place, actor, keyId)),
    destroy: (actor, keyId) => queue.run(() => destroy(place, actor, keyId)),
    compromise: (actor, keyId, how) => queue.run(() => compromise(place, actor, keyId, how)),
    stated: () => statedNow(stateOf(book), audit),
    close: queue.close,
  };
}

function statedNow(state: KeyringState, audit: KeyringOptions["audit"]): StatedKeyring | null {
  const text = renderState(state);
  const last = audit.lastGenerations().findLast(isGeneration);
  return last?.state === digestOf(text) ? { state, text, record: last.seq } : null;
}

interface BookSource extends Pick<KeyringOptions, "store" | "audit" | "tenant"> {
  readonly file: StateFile;
}

async function openBook({ store, audit, file, tenant }: BookSource): Promise<Book> {
  const last = audit.lastGenerations().findLast(isGeneration);
  if (recordedWriter(file, last) !== null) throw wrongRole(file.path, "it followed another custody");
  const state = await recoverState(file, last);
  if (state !== null && state.tenant !== tenant)
    throw corruptState(file.path, `it is that of tenant "${state.tenant}", and this is "${tenant}"`);
  const book = new Book({ store, audit, file }, state, unfinishedErasure(last));
  await book.settle((orphans) => mayDestroyOrphans(last, orphans));
  return book;
}

/** The import key is used, too, after a record alone. */
async function takePackage(place: ChangePlace, tenant: string, actor: string, bytes: Uint8Array): Promise<Generation> {
  const { book, store } = place;
  const { keyId: importKeyId } = stateOf(book).importKey;
  const decapsulate = async (encapsulated: Uint8Array): Promise<Uint8Array | null> => {
    await book.announce(actor);
    return (await store.decapsulate(importKeyId, [encapsulated]))[0] ?? null;
  };
  const packaged = await openGenerationPackage(bytes, { tenant, importKeyId, decapsulate });
  try {
    return await importCeremony(place, actor, packaged);
  } finally {
    packaged.privateKey.fill(0);
  }
}

/** The error for a folder that another role left: two custodies that change generations would part for good. */
export function wrongRole(path: string, why: string): Error {
  return custodyErrors.error("CUSTODY_ROLE", `this state is not of this role: ${why}`, { path });
}

/** Whether a record is about a generation. */
export function isGeneration(record: AuditRecord): record is GenerationRecord {
  return record.kind === "generation";
}
