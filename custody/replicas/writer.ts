import { decodeJwt } from "jose";
import type { AuditLog } from "../audit/log.ts";
import type { KeyStore, WrappedTransfer } from "../backends/key-store.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { digestOf } from "../keyring/state.ts";
import type { FollowAnswer, FollowQuestion, WrappedKey } from "./answer.ts";
import { replicaErrors } from "./errors.ts";
import { signStatement } from "./statement.ts";

/** What a writer answers from. */
export interface WriterParts {
  readonly tenant: string;
  readonly store: KeyStore;
  readonly audit: Pick<AuditLog, "head">;
  readonly keyring: Pick<Keyring, "stated">;
}

/** Answers those that follow. Hands out no key that is not wrapped, and never the signer. */
export type AnswerFollower = (question: FollowQuestion) => Promise<FollowAnswer>;

/**
 * Has a keyring followed by others. One call of the service that wraps the keys, here; none for each answer.
 * @throws CUSTODY_REPLICAS_STORE, and what the service throws
 */
export async function openWriter({ tenant, store, audit, keyring }: WriterParts): Promise<AnswerFollower> {
  const transfer = transferOf(store);
  const introduction = await transfer.introduction();
  return async ({ challenge, known }) => {
    const stated = keyring.stated();
    if (stated === null)
      throw replicaErrors.error("CUSTODY_WRITER_CHANGING", "a change is under way; whoever follows asks again");
    const { state, text, record } = stated;
    const digest = digestOf(text);
    const statement = await signStatement(store.signer, {
      tenant,
      challenge: Buffer.from(challenge).toString("hex"),
      version: state.version,
      state: digest,
      record,
      records: Number(decodeJwt(audit.head()).seq),
    });
    if (known === digest) return { statement, introduction, state: "", keys: [] };
    const kept = [state.importKey, ...state.generations.filter((generation) => generation.state !== "destroyed")];
    const keys: WrappedKey[] = [];
    for (const { keyId } of kept) keys.push({ keyId, wrapped: await transfer.wrapped(keyId) });
    return { statement, introduction, state: text, keys };
  };
}

/**
 * How a store hands keys on.
 * @throws CUSTODY_REPLICAS_STORE
 */
export function transferOf({ transfer, facts }: KeyStore): WrappedTransfer {
  if (transfer !== undefined) return transfer;
  const message = `keys of kind "${facts.kind}" stay where they are; accepted: vault, aws-kms`;
  throw replicaErrors.error("CUSTODY_REPLICAS_STORE", message, { path: facts.where });
}
