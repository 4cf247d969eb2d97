import { randomBytes } from "node:crypto";
import type { KeyStore } from "../backends/key-store.ts";
import { digestOf, type KeyringState, parseState, type Writer } from "../keyring/state.ts";
import type { FollowAnswer, FollowQuestion } from "./answer.ts";
import { replicaErrors } from "./errors.ts";
import type { Moment } from "./freshness.ts";
import { CHALLENGE_BYTES, readStatement, signerId, signerKey, type WriterStatement } from "./statement.ts";
import { behind, notFrom } from "./succession.ts";
import { transferOf } from "./writer.ts";

/** What a follower holds an answer against. */
export interface Known {
  readonly tenant: string;
  readonly store: KeyStore;
  /** Null until a state was followed. */
  readonly state: KeyringState | null;
  /** SHA-256 of its text. */
  readonly digest: string;
  /** Null until one was followed: then whoever the wrapping key introduces. */
  readonly writer: Writer | null;
}

/** What an answer says, once it is believed. */
export interface Heard {
  readonly statement: WriterStatement;
  /** Of the writer's signer. */
  readonly signer: string;
  /** The state that it leads to; null where it is the known one. */
  readonly next: KeyringState | null;
}

/** A question that waits for its answer. */
export interface Asked {
  readonly challenge: Buffer;
  readonly at: Moment;
}

/** A question, and what remembers it. */
export function ask(known: string, at: Moment): { readonly question: FollowQuestion; readonly asked: Asked } {
  const challenge = randomBytes(CHALLENGE_BYTES);
  return { question: { challenge, known }, asked: { challenge, at } };
}

/**
 * Verifies an answer: the word of the writer that was followed before (at first: of whom the wrapping key introduces), for the
 * question that was asked, about this tenant, no older than what is known, and about a state that came out of it.
 * @throws CUSTODY_WRITER_FORGED, CUSTODY_WRITER_OTHER, CUSTODY_WRITER_BEHIND, CUSTODY_WRITER_CONTRADICTS, CUSTODY_REPLICAS_STORE,
 * and what the service that wraps keys throws
 */
export async function hear(answer: FollowAnswer, { challenge }: Asked, known: Known): Promise<Heard> {
  const spki = await transferOf(known.store).introduced(answer.introduction);
  const key = spki && signerKey(spki);
  if (!spki || !key) throw forged("the writer's signer is not introduced by the key that wraps the keys here");
  const signer = signerId(spki);
  if (known.writer !== null && known.writer.signer !== signer)
    throw replicaErrors.error(
      "CUSTODY_WRITER_OTHER",
      `the writer's signer is ${signer}, and ${known.writer.signer} was followed`,
    );
  const statement = await readStatement(answer.statement, key);
  if (statement === null) throw forged("it is not signed by the writer's signer");
  if (statement.challenge !== challenge.toString("hex")) throw forged("it answers another question");
  if (statement.tenant !== known.tenant) throw contradicts(`it is about tenant "${statement.tenant}"`);
  const version = known.state?.version ?? 0;
  const old = behind(statement, { version, writer: known.writer });
  if (old !== null)
    throw replicaErrors.error("CUSTODY_WRITER_BEHIND", `the writer is behind what was followed: ${old}`);
  if (statement.state === known.digest) return { statement, signer, next: null };
  if (statement.version === version)
    throw contradicts(`version ${version} is another state than the one that was followed`);
  return { statement, signer, next: stateOf(answer, statement, known) };
}

function stateOf({ state: text }: FollowAnswer, statement: WriterStatement, known: Known): KeyringState {
  if (digestOf(text) !== statement.state) throw forged("the state is not the one that is signed");
  const state = parseState(text);
  if ("defect" in state) throw contradicts(state.defect);
  if (state.version !== statement.version || state.tenant !== known.tenant)
    throw contradicts(`it is version ${state.version} of tenant "${state.tenant}"`);
  const problem = notFrom(known.state, state);
  if (problem !== null) throw contradicts(problem);
  return state;
}

function forged(why: string): Error {
  return replicaErrors.error("CUSTODY_WRITER_FORGED", `the writer's state is refused: ${why}`);
}

function contradicts(why: string): Error {
  return replicaErrors.error("CUSTODY_WRITER_CONTRADICTS", `the writer's state contradicts what was followed: ${why}`);
}
