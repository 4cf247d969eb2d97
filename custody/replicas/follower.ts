import type { AuditLog } from "../audit/log.ts";
import type { KeyStore } from "../backends/key-store.ts";
import { sealed } from "../kem-errors.ts";
import { Book } from "../keyring/book.ts";
import { type ChangeQueue, changeQueue } from "../keyring/change-queue.ts";
import { stateOf } from "../keyring/changes.ts";
import { decapsulateRecorded } from "../keyring/decapsulate.ts";
import { isGeneration, type Keyring, wrongRole } from "../keyring/keyring.ts";
import { recordedWriter, recoverState, unfinishedErasure } from "../keyring/recover.ts";
import { applyStatement, digestOf, type KeyringState, renderState } from "../keyring/state.ts";
import { corruptState, stateFileIn } from "../keyring/state-file.ts";
import type { FollowAnswer, FollowQuestion, WrappedKey } from "./answer.ts";
import { replicaErrors } from "./errors.ts";
import { createFreshness, momentOf, sinceMs, type TwoClocks } from "./freshness.ts";
import { type Asked, ask, hear } from "./hearing.ts";
import { transferOf } from "./writer.ts";

/** What {@link openFollower} needs. Who opened store and log closes them, after the keyring. */
export interface FollowerOptions {
  readonly tenant: string;
  /** With a folder of its own, and the writer's wrapping key. */
  readonly store: KeyStore;
  readonly audit: Pick<AuditLog, "append" | "lastGenerations">;
  /** Of the state file. One process at a time. */
  readonly folder: string;
  readonly clocks: TwoClocks;
  /** Name of the writer, for who asks for a change here. */
  readonly writer: string;
  /** For how long it opens without hearing of the writer. */
  readonly followSeconds: number;
}

/** A keyring that follows another custody's: it opens by the writer's generations, and changes none. */
export interface Follower {
  /** Opens nothing and lists nothing until the writer was heard of, nor when that is too long ago; every change is refused. */
  readonly keyring: Keyring;
  /** A fresh question for the writer; the one before it is worth nothing from now on. */
  readonly question: () => FollowQuestion;
  /**
   * Takes the writer's answer. What it takes away is taken away at once; the rest counts when it is on record.
   * @throws CUSTODY_WRITER_FORGED, CUSTODY_WRITER_OTHER, CUSTODY_WRITER_BEHIND, CUSTODY_WRITER_CONTRADICTS, CUSTODY_WRITER_KEYS,
   * CUSTODY_KEYRING_CLOSED, and what store and log throw
   */
  readonly follow: (answer: FollowAnswer) => Promise<void>;
  /** Whether the writer's state of `followSeconds` ago or later is in force here. */
  readonly fresh: () => boolean;
  /** Seconds since the writer was asked what it has answered last; Infinity before that. */
  readonly ageSeconds: () => number;
}

/** Actor of what is followed. */
const CUSTODY = "custody";
/** An answer that took longer is worth nothing. */
const ANSWER_MS = 30_000;
/** What did not change is put on record this often in `followSeconds`: an auditor sees how long nothing was heard. */
const RECORDS_IN_TIME = 4;

/**
 * Opens the keyring of a custody that follows. It opens nothing until {@link Follower.follow}.
 * @throws CUSTODY_ROLE when this folder has generations of its own
 * @throws CUSTODY_STATE_CORRUPT, CUSTODY_KEY_MISSING, CUSTODY_REPLICAS_STORE, CUSTODY_STATE_UNREADABLE, CUSTODY_STATE_UNWRITABLE,
 * and what store and log throw
 */
export async function openFollower(options: FollowerOptions): Promise<Follower> {
  const { tenant, store, audit, folder, clocks, followSeconds } = options;
  transferOf(store);
  const file = stateFileIn(folder);
  const last = audit.lastGenerations().findLast(isGeneration);
  let writer = recordedWriter(file, last);
  if (last !== undefined && writer === null) throw wrongRole(file.path, "it made generations of its own");
  const state = await recoverState(file, last);
  if (state !== null && state.tenant !== tenant)
    throw corruptState(file.path, `it is that of tenant "${state.tenant}", and this is "${tenant}"`);
  const book = new Book({ store, audit, file, writer: () => writer ?? undefined }, state, unfinishedErasure(last));
  // A key that no generation has is a copy here: the writer has it, and gives it again. In a folder that never followed it is not.
  await book.settle(() => writer !== null);
  const queue = changeQueue(book);
  const freshness = createFreshness(clocks);
  let asked: Asked | null = null;
  let recordedAt = Number.NEGATIVE_INFINITY;

  const digest = (): string => digestOf(book.state && renderState(book.state));
  const fresh = (): boolean => freshness.ageMs() <= followSeconds * 1000;

  async function take(answer: FollowAnswer, question: Asked): Promise<void> {
    const heard = await hear(answer, question, { tenant, store, state: book.state, digest: digest(), writer });
    const { record, records } = heard.statement;
    if (heard.next !== null) book.restrict(heard.next.generations);
    // Its word stands, whatever becomes of the rest: nothing older is taken from now on.
    writer = { signer: heard.signer, record, records, followSeconds };
    const due = clocks.monotonicMs() - recordedAt >= (followSeconds * 1000) / RECORDS_IN_TIME;
    const recorded = heard.next !== null || due || !fresh();
    if (heard.next !== null) await takeState(book, store, answer.keys, heard.next);
    else if (recorded) await book.confirm(CUSTODY);
    if (recorded) recordedAt = clocks.monotonicMs();
    freshness.heard(question.at);
  }

  return {
    keyring: followingKeyring({ book, queue, options, fresh }),
    question: () => {
      const next = ask(digest(), momentOf(clocks));
      asked = next.asked;
      return next.question;
    },
    follow: async (answer) => {
      const question = asked;
      asked = null;
      if (question === null || sinceMs(clocks, question.at) > ANSWER_MS)
        throw replicaErrors.error(
          "CUSTODY_WRITER_FORGED",
          "the writer's state is refused: nothing was asked, or too long ago",
        );
      await queue.run(() => take(answer, question));
    },
    fresh,
    ageSeconds: () => freshness.ageMs() / 1000,
  };
}

/** Adopts the keys that are missing, records the change, writes the state, and believes it. */
async function takeState(book: Book, store: KeyStore, keys: readonly WrappedKey[], next: KeyringState): Promise<void> {
  const transfer = transferOf(store);
  const held = new Set((await store.list()).map(({ keyId }) => keyId));
  const missing = [next.importKey, ...next.generations.filter(({ state }) => state !== "destroyed")].filter(
    ({ keyId }) => !held.has(keyId),
  );
  if (missing.length > 0) await book.announce(CUSTODY, missing.length);
  for (const { keyId, publicKey } of missing) {
    const key = keys.find((each) => each.keyId === keyId);
    if (key === undefined) throw unfit(`the key "${keyId}" did not come`);
    const adopted = await transfer.adopt(keyId, key.wrapped).catch((thrown: unknown) => {
      throw isForeign(thrown) ? unfit(`what came as the key "${keyId}" is not that key`) : thrown;
    });
    if (adopted.publicKey !== publicKey) throw unfit(`the key "${keyId}" has another public key`);
  }
  const known = new Map(book.state?.generations.map((generation) => [generation.keyId, JSON.stringify(generation)]));
  const changed = next.generations.filter((each) => known.get(each.keyId) !== JSON.stringify(each));
  const partial = { ...next, generations: changed };
  if (renderState(applyStatement(book.state, partial)) !== renderState(next))
    throw replicaErrors.error("CUSTODY_WRITER_CONTRADICTS", "the writer's generations are in another order");
  await book.commit(CUSTODY, "followed", partial);
}

function isForeign(thrown: unknown): boolean {
  const { code } = thrown as { readonly code?: unknown };
  return code === "CUSTODY_STORE_FOREIGN" || code === "CUSTODY_STORE_CORRUPT";
}

function unfit(why: string): Error {
  return replicaErrors.error("CUSTODY_WRITER_KEYS", `the writer's keys are refused: ${why}`);
}

interface FollowingParts {
  readonly book: Book;
  readonly queue: ChangeQueue;
  readonly options: FollowerOptions;
  readonly fresh: () => boolean;
}

function followingKeyring({ book, queue, options, fresh }: FollowingParts): Keyring {
  const { store, audit, writer } = options;
  const kem = { store, audit, openers: () => book.openers };
  const refused = async (): Promise<never> => {
    throw follows(writer);
  };
  return {
    facts: store.facts,
    get packageKey() {
      return stateOf(book).importKey;
    },
    list: () => book.state?.generations ?? [],
    decapsulate: async (request) => {
      queue.assertOpen();
      if (!fresh()) throw sealed();
      return request.items.length === 0 ? [] : decapsulateRecorded(kem, request);
    },
    generate: refused,
    importPackage: refused,
    importKey: refused,
    activate: refused,
    destroy: refused,
    compromise: refused,
    stated: () => null,
    close: queue.close,
  };
}

/** The error for who asks one that follows for what the writer alone does. */
export function follows(writer: string): Error {
  return replicaErrors.error("CUSTODY_FOLLOWS", `this custody follows "${writer}", which alone does that`);
}
