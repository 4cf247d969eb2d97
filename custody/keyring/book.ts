import type { AuditLog } from "../audit/log.ts";
import type { AuditRecord } from "../audit/record.ts";
import { custodyStoreErrors } from "../backends/errors.ts";
import type { KeyStore, StoredKey } from "../backends/key-store.ts";
import type { Generation } from "../generation.ts";
import { type Openers, openersOf } from "./openers.ts";
import { applyStatement, digestOf, type KeyringState, renderState, type Writer } from "./state.ts";
import { corruptState, type StateFile } from "./state-file.ts";

/** A record of a change of the keyring. */
export type GenerationRecord = Extract<AuditRecord, { readonly kind: "generation" }>;

/** What a change is called in the audit log. */
export type ChangeName = GenerationRecord["change"];

/** Where the keys, the records and the state of a book are. */
export interface BookPlace {
  readonly store: KeyStore;
  readonly audit: Pick<AuditLog, "append">;
  readonly file: StateFile;
  /** Whose changes these are, where they are another custody's. @default they are this one's own */
  readonly writer?: () => Writer | undefined;
}

/** Actor of what custody finishes or undoes by itself. */
const CUSTODY = "custody";

/**
 * The state in force, and the one way to change it: announce that a key is made, make it, record the change with the digest
 * of the state that it leads to, write that state, believe it. What fails on the way is withdrawn by a record of its own
 * before anything else is changed, since nobody knows whether a refused record is on the disk. One call at a time.
 */
export class Book {
  readonly #place: BookPlace;
  #state: KeyringState | null;
  #openers: Openers;
  /** A record may be in the log that no state follows, or a key in the store that no state names. */
  #doubt = false;
  /** Keys that were announced, and not recorded. */
  #announced = 0;
  /** Key ids of destroyed generations whose keys are not known to be gone. */
  #erasing: readonly string[];

  constructor(place: BookPlace, state: KeyringState | null, erasing: readonly string[]) {
    this.#place = place;
    this.#state = state;
    this.#openers = openersOf(state?.generations ?? []);
    this.#erasing = erasing;
  }

  /** Null until the first generation is recorded. */
  get state(): KeyringState | null {
    return this.#state;
  }

  /** Who opens what. A change that takes a key away holds from the moment at which its record is asked for. */
  get openers(): Openers {
    return this.#openers;
  }

  /** Whether {@link settle} has something to do. */
  get unsettled(): boolean {
    return this.#doubt || this.#erasing.length > 0;
  }

  /** What these generations may not open is not opened from now on, whether it can be recorded or not. */
  restrict(generations: readonly Generation[]): void {
    const known = this.#state?.generations ?? [];
    this.#openers = openersOf(known.map((old) => generations.find(({ keyId }) => keyId === old.keyId) ?? old));
  }

  /** Records that the state is the one that another custody has, too. */
  async confirm(actor: string): Promise<void> {
    this.#doubt = true;
    await this.#record(actor, "followed", []);
    this.#doubt = false;
  }

  /** Records once in a change that keys are about to be made, so that a key without a generation is known for what it is. */
  async announce(actor: string, keys = 1): Promise<void> {
    if (this.#announced > 0) return;
    await this.#record(actor, "making", []);
    this.#announced = keys;
    this.#doubt = true;
  }

  /**
   * Records a change, and writes the state that it leads to.
   * @param next the state after, with those generations alone that change
   * @throws CUSTODY_CHANGE_INVALID, CUSTODY_STATE_UNWRITABLE, and what the audit log throws
   */
  async commit(actor: string, change: ChangeName, next: KeyringState): Promise<void> {
    const state = applyStatement(this.#state, next);
    const text = renderState(state);
    const before = this.#openers;
    const had = new Set(keyIdsOf((this.#state?.generations ?? []).filter((generation) => !isDestroyed(generation))));
    this.#doubt = true;
    this.restrict(next.generations);
    try {
      await this.#record(actor, change, keyIdsOf(next.generations), { text, next });
      await this.#place.file.write(text);
    } catch (thrown) {
      this.#openers = before;
      throw thrown;
    }
    this.#state = state;
    this.#openers = openersOf(state.generations);
    this.#doubt = false;
    this.#announced = 0;
    if (change === "destroying" || change === "followed")
      this.#erasing = keyIdsOf(next.generations.filter(isDestroyed)).filter((keyId) => had.has(keyId));
  }

  /**
   * Brings file, log and store in line with the state: withdraws what failed, destroys the key that was made for it, and
   * the keys of destroyed generations.
   * @param mayDestroy whether keys that no generation has are known to be left over
   * @throws CUSTODY_STATE_CORRUPT when they are not
   * @throws CUSTODY_KEY_MISSING
   */
  async settle(mayDestroy = (orphans: readonly string[]) => orphans.length <= this.#announced): Promise<void> {
    const { store, file } = this.#place;
    const text = this.#state && renderState(this.#state);
    const held = keyIdsOf(await store.list());
    const orphans = this.#orphans(held);
    if (orphans.length > 0 && !mayDestroy(orphans)) throw strangers(file.path, orphans);
    if (this.#doubt && text !== null && (await file.read()) !== text) await file.write(text);
    if (this.#doubt || orphans.length > 0) await this.#record(CUSTODY, "withdrawn", orphans);
    for (const keyId of orphans) await store.destroy(keyId);
    this.#doubt = false;
    this.#announced = 0;
    await this.#erase(held);
  }

  async #erase(held: readonly string[]): Promise<void> {
    const destroyed = this.#state?.generations.filter(isDestroyed) ?? [];
    const leftovers = keyIdsOf(destroyed).filter((keyId) => held.includes(keyId));
    this.#erasing = [...new Set([...this.#erasing, ...leftovers])];
    for (const keyId of leftovers) await this.#place.store.destroy(keyId);
    if (this.#erasing.length > 0) await this.#record(CUSTODY, "destroyed", this.#erasing);
    this.#erasing = [];
  }

  /** Keys that are neither the import key's nor any generation's. */
  #orphans(held: readonly string[]): readonly string[] {
    if (this.#state === null) return held;
    const { importKey, generations } = this.#state;
    const needed = [importKey, ...generations.filter((generation) => !isDestroyed(generation))];
    const missing = keyIdsOf(needed).filter((keyId) => !held.includes(keyId));
    if (missing.length > 0) throw keysMissing(this.#place.store, missing);
    const known = new Set(keyIdsOf([importKey, ...generations]));
    return held.filter((keyId) => !known.has(keyId));
  }

  async #record(
    actor: string,
    change: ChangeName,
    keyIds: readonly string[],
    after?: { readonly text: string; readonly next: KeyringState },
  ): Promise<void> {
    const base = digestOf(this.#state && renderState(this.#state));
    const writer = this.#place.writer?.();
    const statement = { base, next: after?.next ?? null, ...(writer && { writer }) };
    const state = after ? digestOf(after.text) : base;
    await this.#place.audit.append({ kind: "generation", actor, detail: { change, keyIds, state, statement } });
  }
}

function isDestroyed({ state }: Generation): boolean {
  return state === "destroyed";
}

function keyIdsOf(keys: readonly Pick<Generation | StoredKey, "keyId">[]): readonly string[] {
  return keys.map(({ keyId }) => keyId);
}

function keysMissing({ facts }: KeyStore, keyIds: readonly string[]): Error {
  const message = `the store lacks the keys of: ${keyIds.join(", ")}`;
  return custodyStoreErrors.error("CUSTODY_KEY_MISSING", message, { path: facts.where });
}

function strangers(path: string, keyIds: readonly string[]): Error {
  const what = `the store holds keys that no record announced (${keyIds.join(", ")}), as when an older state is put back`;
  return corruptState(path, what);
}
