import { z } from "zod";
import { keyIdOf } from "../../protocol/hpke.ts";
import type { KeyStore, StoredKey } from "../backends/key-store.ts";
import { custodyErrors } from "../errors.ts";
import {
  type Compromise,
  findCompromised,
  findGeneration,
  type Generation,
  HPKE_SUITE,
  planActivation,
  planAddition,
  planCompromise,
  planDestruction,
} from "../generation.ts";
import { type PackagedGeneration, publicKeyOf } from "../package.ts";
import type { Book, ChangeName } from "./book.ts";
import type { KeyringState } from "./state.ts";

/** What the caller decides about a key that is made or taken. */
export interface NewKey<S extends Generation["state"]> {
  readonly state: S;
  /** Sensors encrypt to it from then on. RFC 3339, UTC. @default now */
  readonly notBefore?: string | undefined;
}

/** What the changes of a keyring work on. */
export interface ChangePlace {
  readonly book: Book;
  readonly store: KeyStore;
  readonly clock: () => Date;
}

type Brought = Pick<Generation, "origin" | "state" | "createdAt" | "notBefore">;

/** The first change of all: an import key, and a generation that is active from now on. */
export async function found({ book, store, clock }: ChangePlace, tenant: string, actor: string): Promise<void> {
  await book.announce(actor, 2);
  const importKey = publicHalf(await store.generate());
  const at = clock().toISOString();
  const brought = { origin: "generated", state: "active", createdAt: at, notBefore: at } as const;
  const first = generationOf(await store.generate(), brought, at);
  await book.commit(actor, "generated", { version: 1, tenant, importKey, generations: [first] });
}

/** @throws CUSTODY_CHANGE_INVALID */
export async function generate(
  place: ChangePlace,
  actor: string,
  { state, notBefore }: NewKey<"next" | "active">,
): Promise<Generation> {
  const { book, store, clock } = place;
  const at = clock().toISOString();
  const brought = { origin: "generated", state, createdAt: at, notBefore: timeOf(notBefore ?? at) } as const;
  await book.announce(actor);
  const added = generationOf(await store.generate(), brought, at);
  return commit(book, actor, "generated", planAddition(stateOf(book).generations, added), added.keyId);
}

/** @throws CUSTODY_KEY_INVALID, CUSTODY_CHANGE_INVALID, CUSTODY_GENERATION_STATE */
export async function importFixture(
  place: ChangePlace,
  actor: string,
  privateKey: Uint8Array,
  { state, notBefore }: NewKey<"next" | "retired">,
): Promise<Generation> {
  const at = place.clock().toISOString();
  const brought = { origin: "fixture", state, createdAt: at, notBefore: timeOf(notBefore ?? at) } as const;
  return take(place, actor, privateKey, brought);
}

/** @throws CUSTODY_KEY_INVALID, CUSTODY_GENERATION_STATE */
export async function importCeremony(
  place: ChangePlace,
  actor: string,
  { privateKey, createdAt }: PackagedGeneration,
): Promise<Generation> {
  const notBefore = place.clock().toISOString();
  return take(place, actor, privateKey, { origin: "ceremony", state: "next", createdAt, notBefore });
}

/** @throws CUSTODY_GENERATION_UNKNOWN, CUSTODY_GENERATION_STATE */
export async function activate({ book, clock }: ChangePlace, actor: string, keyId: string): Promise<Generation> {
  const changed = planActivation(stateOf(book).generations, keyId, clock().toISOString());
  return commit(book, actor, "activated", changed, keyId);
}

/** @throws CUSTODY_GENERATION_UNKNOWN, CUSTODY_GENERATION_STATE */
export async function destroy({ book, clock }: ChangePlace, actor: string, keyId: string): Promise<Generation> {
  const changed = planDestruction(stateOf(book).generations, keyId, clock().toISOString());
  return commit(book, actor, "destroying", changed, keyId);
}

/** @throws CUSTODY_GENERATION_UNKNOWN, CUSTODY_GENERATION_STATE, CUSTODY_CHANGE_INVALID */
export async function compromise(
  { book, store, clock }: ChangePlace,
  actor: string,
  keyId: string,
  how: Pick<Compromise, "reason" | "stored">,
): Promise<Generation> {
  const { generations } = stateOf(book);
  const at = clock().toISOString();
  const declared = { at, reason: reasonOf(how.reason), stored: how.stored };
  const current = generations.find(({ state }) => state === "active") as Generation;
  if (findCompromised(generations, keyId, declared) !== current)
    return commit(book, actor, "compromised", planCompromise(generations, keyId, declared, current), current.keyId);
  await book.announce(actor);
  const brought = { origin: "generated", state: "active", createdAt: at, notBefore: at } as const;
  const replacement = generationOf(await store.generate(), brought, at);
  const changed = planCompromise(generations, keyId, declared, replacement);
  return commit(book, actor, "compromised", changed, replacement.keyId);
}

/** Takes a key that was made elsewhere; one that is there already stays as it is, and one that was destroyed stays away. */
async function take(place: ChangePlace, actor: string, privateKey: Uint8Array, brought: Brought): Promise<Generation> {
  const { book, store, clock } = place;
  const { generations, importKey } = stateOf(book);
  const keyId = keyIdIn(privateKey);
  if (keyId === importKey.keyId)
    throw custodyErrors.error("CUSTODY_KEY_INVALID", `"${keyId}" is the import key, and no generation`);
  const there = generations.find((generation) => generation.keyId === keyId);
  if (there?.state === "destroyed")
    throw custodyErrors.error("CUSTODY_GENERATION_STATE", `generation "${keyId}" was destroyed and cannot come back`);
  if (there) return there;
  await book.announce(actor);
  const added = generationOf(await store.importKey(privateKey), brought, clock().toISOString());
  return commit(book, actor, "imported", planAddition(generations, added), keyId);
}

async function commit(
  book: Book,
  actor: string,
  change: ChangeName,
  changed: readonly Generation[],
  keyId: string,
): Promise<Generation> {
  const state = stateOf(book);
  await book.commit(actor, change, { ...state, version: state.version + 1, generations: changed });
  return findGeneration(stateOf(book).generations, keyId);
}

function generationOf(key: StoredKey, brought: Brought, at: string): Generation {
  return { ...publicHalf(key), suite: HPKE_SUITE, ...brought, ...(brought.state === "active" && { activatedAt: at }) };
}

function publicHalf({ keyId, publicKey }: StoredKey): StoredKey {
  return { keyId, publicKey };
}

function keyIdIn(privateKey: Uint8Array): string {
  if (privateKey.length === 32) return keyIdOf(publicKeyOf(privateKey)).toString("hex");
  throw custodyErrors.error("CUSTODY_KEY_INVALID", `the key has ${privateKey.length} bytes, accepted: 32`);
}

/** The state of a book that is founded: an open keyring's always is. */
export function stateOf({ state }: Book): KeyringState {
  if (state === null) throw new Error("no generation was made");
  return state;
}

function timeOf(text: string): string {
  if (z.iso.datetime().safeParse(text).success) return text;
  const message = `"notBefore" is ${JSON.stringify(text.slice(0, 40))}, accepted: RFC 3339 in UTC`;
  throw custodyErrors.error("CUSTODY_CHANGE_INVALID", message);
}

function reasonOf(text: string): string {
  if (text.length >= 1 && text.length <= 500) return text;
  throw custodyErrors.error("CUSTODY_CHANGE_INVALID", `"reason" has ${text.length} characters, accepted: 1 to 500`);
}
