import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { z } from "zod";
import { readJws } from "../../certs/signers/read-jws.ts";
import { signJws } from "../../certs/signers/sign-jws.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";

const SCHEMA = "trustkern.audit-session/1";

/** That a key signs the heads of a log from a record on. */
export interface SessionClaim {
  /** P-256, SPKI in base64. */
  readonly publicKey: string;
  /** Of the record that opens the session. */
  readonly seq: number;
  /** SHA-256 of the line before that record. */
  readonly prev: string;
}

/** A key that lives in memory, from one opening of the log to its end. */
export interface Session {
  readonly claim: SessionClaim;
  /** The claim, signed by the store: a compact JWS (ES256). */
  readonly vouch: string;
  readonly signingKey: KeyObject;
}

const claimSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  publicKey: z.base64(),
  seq: z.int().positive(),
  prev: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * A fresh key, and the store's word for it. A TPM or an HSM, which may take a second, signs this once and no head.
 * @throws what the signer throws
 */
export async function startSession(signer: KeySigner, at: Omit<SessionClaim, "publicKey">): Promise<Session> {
  const { privateKey: signingKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const claim = { ...at, publicKey: publicKey.export({ format: "der", type: "spki" }).toString("base64") };
  const payload = Buffer.from(JSON.stringify({ schema: SCHEMA, ...claim }));
  return { claim, vouch: await signJws(signer, { typ: SCHEMA }, payload), signingKey };
}

/** What the store's key vouched for, or null when it did not. */
export async function readVouch(vouch: string, storeKey: KeyObject): Promise<SessionClaim | null> {
  const claim = claimSchema.safeParse((await readJws(vouch, SCHEMA, storeKey))?.payload);
  if (!claim.success) return null;
  const { publicKey, seq, prev } = claim.data;
  return { publicKey, seq, prev };
}

/** The public key of a claim. */
export function sessionKey({ publicKey }: SessionClaim): KeyObject {
  return createPublicKey({ key: Buffer.from(publicKey, "base64"), format: "der", type: "spki" });
}
