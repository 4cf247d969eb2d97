import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { z } from "zod";
import { readJws } from "../../certs/signers/read-jws.ts";
import { signJws } from "../../certs/signers/sign-jws.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";

const SCHEMA = "trustkern.custody-state/1";

/** Bytes of a question, which a statement answers. */
export const CHALLENGE_BYTES = 32;

/** What the writer says of its keyring to one that follows, in answer to one question. */
export interface WriterStatement {
  readonly tenant: string;
  /** The question, lower-case hex: a statement is worth nothing for another one, so that none can be kept and shown later. */
  readonly challenge: string;
  /** Of the state: one more with each change. */
  readonly version: number;
  /** SHA-256 of the state's text, lower-case hex. */
  readonly state: string;
  /** Number of the last record about a generation in the writer's log, which has this digest. */
  readonly record: number;
  /** Length of the writer's audit log. */
  readonly records: number;
}

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const statementSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  tenant: z.string().min(1),
  challenge: hex(CHALLENGE_BYTES),
  version: z.int().positive(),
  state: hex(32),
  record: z.int().positive(),
  records: z.int().positive(),
});

/** A statement, signed by the writer's store: a compact JWS (RFC 7515, ES256). */
export function signStatement(signer: KeySigner, statement: WriterStatement): Promise<string> {
  return signJws(signer, { typ: SCHEMA }, Buffer.from(JSON.stringify({ schema: SCHEMA, ...statement })));
}

/** What a statement says, or null when this key did not sign it. */
export async function readStatement(text: string, key: KeyObject): Promise<WriterStatement | null> {
  const read = statementSchema.safeParse((await readJws(text, SCHEMA, key))?.payload);
  if (!read.success) return null;
  const { schema: _, ...statement } = read.data;
  return statement;
}

/** A store signer's public key, or null when the bytes are no P-256 key (SPKI in DER). */
export function signerKey(spki: Uint8Array): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    return key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : null;
  } catch {
    return null;
  }
}

/** By which a follower knows a writer again: SHA-256 of its signer's public key (SPKI), lower-case hex. */
export function signerId(spki: Uint8Array): string {
  return hash("sha256", spki);
}
