import type { KeyObject } from "node:crypto";
import { CompactSign, decodeProtectedHeader } from "jose";
import { z } from "zod";
import { readJws } from "../../certs/signers/read-jws.ts";
import { readVouch, type Session, type SessionClaim, sessionKey } from "./session.ts";

const SCHEMA = "trustkern.audit-head/1";

/** How many records of kind `generation` a head points at: who opens the log finds them without reading it all. */
export const HEAD_GENERATIONS = 2;

/** How long a log is, and what its last line is. */
export interface AuditHead {
  /** Of the last record. */
  readonly seq: number;
  /** SHA-256 of its line, as the next record would name it. */
  readonly hash: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  /** File name of the segment that the record is in. */
  readonly segment: string;
  /** Numbers of the last records of kind `generation`, ascending; none yet is an empty list. */
  readonly generations: readonly number[];
}

/** A head, and the session that signed it. */
export interface SignedAuditHead extends AuditHead {
  readonly session: SessionClaim;
}

const headSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  seq: z.int().positive(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.string(),
  segment: z.string(),
  generations: z.array(z.int().positive()).max(HEAD_GENERATIONS),
});

/**
 * A head signed by a session: a compact JWS (RFC 7515, ES256) whose protected header carries the store's word for the
 * session's key, so that a head that somebody kept is evidence without the log.
 */
export function signHead(head: AuditHead, { signingKey, vouch }: Session): Promise<string> {
  const payload = Buffer.from(JSON.stringify({ schema: SCHEMA, ...head }));
  return new CompactSign(payload).setProtectedHeader({ alg: "ES256", typ: SCHEMA, session: vouch }).sign(signingKey);
}

/** Whether a text was meant to be a head, of whatever store, right or wrong. */
export function looksLikeHead(text: string): boolean {
  try {
    return decodeProtectedHeader(text).typ === SCHEMA;
  } catch {
    return false;
  }
}

/** A head that a session signed for which this store's key vouched, or null. */
export async function readHead(text: string, storeKey: KeyObject): Promise<SignedAuditHead | null> {
  let session: SessionClaim | null = null;
  const read = await readJws(text, SCHEMA, async ({ session: vouch }) => {
    session = typeof vouch === "string" ? await readVouch(vouch, storeKey) : null;
    if (session === null) throw new TypeError("no session of this store");
    return sessionKey(session);
  });
  const head = headSchema.safeParse(read?.payload);
  if (!head.success || session === null) return null;
  const { schema: _, ...rest } = head.data;
  return { ...rest, session };
}
