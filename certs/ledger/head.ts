import type { KeyObject } from "node:crypto";
import { CompactSign } from "jose";
import { readJws } from "../signers/read-jws.ts";

const SCHEMA = "trustkern.ledger-head/1";

/** How long a ledger is, and what its last line is. */
export interface LedgerHead {
  /** Of the last record; 0 when there is none. */
  readonly seq: number;
  /** SHA-256 of the last line, as the next record would name it. */
  readonly hash: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
}

/** A head signed with ES256, a compact JWS (RFC 7515). */
export function signHead({ seq, hash, at }: LedgerHead, signingKey: KeyObject): Promise<string> {
  const payload = Buffer.from(JSON.stringify({ schema: SCHEMA, seq, hash, at }));
  return new CompactSign(payload).setProtectedHeader({ alg: "ES256", typ: SCHEMA }).sign(signingKey);
}

/** A head whose signature is good, or null. */
export async function readHead(text: string, publicKey: KeyObject): Promise<LedgerHead | null> {
  const read = await readJws(text, SCHEMA, publicKey);
  const { seq, hash, at } = (read?.payload ?? {}) as Partial<LedgerHead>;
  return Number.isSafeInteger(seq) ? ({ seq, hash, at } as LedgerHead) : null;
}
