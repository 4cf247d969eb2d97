import { randomBytes } from "node:crypto";
import { z } from "zod";
import { aeadOpen, aeadSeal } from "../../protocol/aead.ts";
import { keyIdOf } from "../../protocol/hpke.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { HPKE_SUITE } from "../generation.ts";
import { isAgeFile } from "./age-share.ts";
import { escrowErrors } from "./errors.ts";
import { HOLDER_OPERATORS } from "./holders.ts";
import { decodeSecrets, type EscrowSecrets, encodeSecrets, publicKeysOf, wipe } from "./secrets.ts";

const NONCE_BYTES = 12;
const hexBytes = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * length}}$`));

const metadataSchema = z.strictObject({
  schema: z.literal("trustkern.escrow/1"),
  tenant: z.string().min(1).max(63),
  /** RFC 3339, UTC: when the generation was made. */
  createdAt: z.iso.datetime(),
  /** RFC 3339, UTC: when this set was dealt. */
  dealtAt: z.iso.datetime(),
  suite: z.literal(HPKE_SUITE),
  keyId: hexBytes(8),
  /** Raw X25519. */
  publicKey: hexBytes(32),
  /** SubjectPublicKeyInfo (DER) of the key that signs the generation's transcript, base64. */
  ceremonyKey: z.base64(),
  setId: hexBytes(8),
  threshold: z.int().min(2).max(255),
  shares: z
    .array(
      z.strictObject({
        index: z.int().min(1).max(255),
        holder: z.string().min(1).max(32),
        operator: z.enum(HOLDER_OPERATORS),
        /** Of the whole share. */
        sha256: hexBytes(32),
      }),
    )
    .min(2)
    .max(255),
});

const escrowSchema = metadataSchema.extend({
  nonce: hexBytes(NONCE_BYTES),
  /** AES-256-GCM of the secrets (CBOR) with the escrow key; its additional data is the rest of the file. */
  ciphertext: z.string().regex(/^(?:[0-9a-f]{2})+$/),
});

/** What an escrow file says openly, and binds. */
export type EscrowMetadata = z.output<typeof metadataSchema>;

/** A private key under an escrow key that only a quorum of shares gives. No secret by itself. */
export type EscrowFile = z.output<typeof escrowSchema>;

/** Encrypts secrets. @param escrowKey 32 random bytes, for this one file */
export function sealEscrow(metadata: EscrowMetadata, escrowKey: Uint8Array, secrets: EscrowSecrets): EscrowFile {
  const plaintext = encodeSecrets(secrets);
  const nonce = randomBytes(NONCE_BYTES);
  const ciphertext = aeadSeal(escrowKey, nonce, aadOf(metadata), plaintext);
  plaintext.fill(0);
  return { ...metadata, nonce: nonce.toString("hex"), ciphertext: Buffer.from(ciphertext).toString("hex") };
}

/**
 * The secrets of an escrow file, once they are found to be the keys that it names.
 * @throws CUSTODY_ESCROW_CORRUPT
 */
export function openEscrow(escrow: EscrowFile, escrowKey: Uint8Array): EscrowSecrets {
  const { nonce, ciphertext, ...metadata } = escrow;
  const bytes = [nonce, ciphertext].map((hex) => Buffer.from(hex, "hex")) as [Buffer, Buffer];
  const plaintext = aeadOpen(escrowKey, bytes[0], aadOf(metadata), bytes[1]);
  if (plaintext === null) throw corrupt(escrow.keyId, "the escrow key of these shares does not open it");
  const secrets = decodeSecrets(plaintext);
  plaintext.fill(0);
  if (secrets === null) throw corrupt(escrow.keyId, "what it holds has another form than keys");
  if (holds(secrets, metadata)) return secrets;
  wipe(secrets);
  throw corrupt(escrow.keyId, "the keys that it holds are not those that it names");
}

/** The text of an escrow file. */
export function renderEscrow(escrow: EscrowFile): string {
  return `${stableJson(escrow, 2)}\n`;
}

/**
 * The escrow file that a text is.
 * @param path of the file, for messages
 * @throws CUSTODY_ESCROW_CORRUPT
 */
export function parseEscrow(text: string, path: string): EscrowFile {
  const { data: escrow, error } = escrowSchema.safeParse(jsonOf(text, path));
  if (error !== undefined) throw corrupt(path, z.prettifyError(error));
  const { shares, threshold, publicKey, keyId } = escrow;
  if (threshold > shares.length || shares.some(({ index }, at) => index !== at + 1)) {
    throw corrupt(path, `it lists ${shares.length} shares, not numbered 1 to N, for a threshold of ${threshold}`);
  }
  if (keyIdOf(Buffer.from(publicKey, "hex")).toString("hex") === keyId) return escrow;
  throw corrupt(path, `its key id ${keyId} is not that of its public key`);
}

function jsonOf(text: string, path: string): unknown {
  const fix =
    "name escrow-<key id>.json with --escrow, and shares as arguments; if it is that file, take another copy of it";
  if (isAgeFile(Buffer.from(text))) throw corrupt(path, "it is an age file, such as one with a share", fix);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote what was given, which may be a share.
    throw corrupt(path, "it is no JSON, or not all of it", fix);
  }
}

function aadOf(metadata: EscrowMetadata): Uint8Array {
  return Buffer.from(stableJson(metadata), "utf8");
}

function holds(secrets: EscrowSecrets, { publicKey, ceremonyKey }: EscrowMetadata): boolean {
  try {
    const keys = publicKeysOf(secrets);
    return keys.publicKey.toString("hex") === publicKey && keys.ceremonySpki.toString("base64") === ceremonyKey;
  } catch {
    return false;
  }
}

function corrupt(path: string, why: string, fix?: string): Error {
  return escrowErrors.error("CUSTODY_ESCROW_CORRUPT", `the escrow file "${path}" cannot be used: ${why}`, {
    path,
    fix,
  });
}
