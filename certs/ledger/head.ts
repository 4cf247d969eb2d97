import type { KeyObject } from "node:crypto";
import { CompactSign, compactVerify } from "jose";

const SCHEMA = "trustkern.ledger-head/1";
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)\n?$/;

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
  const parts = COMPACT.exec(text)?.slice(1) ?? [];
  // Bits of base64 without a meaning would let two texts be one head.
  if (parts.length !== 3 || parts.some((part) => Buffer.from(part, "base64url").toString("base64url") !== part)) {
    return null;
  }
  try {
    const { payload, protectedHeader } = await compactVerify(parts.join("."), publicKey, { algorithms: ["ES256"] });
    const head = JSON.parse(Buffer.from(payload).toString("utf8")) as LedgerHead & { readonly schema?: unknown };
    const { schema, seq, hash, at } = head;
    return protectedHeader.typ === SCHEMA && schema === SCHEMA && Number.isSafeInteger(seq) ? { seq, hash, at } : null;
  } catch {
    return null;
  }
}
