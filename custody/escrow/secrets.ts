import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { decode, encode } from "cborg";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { loadPemSigner } from "../../certs/signers/software.ts";
import { publicKeyOf } from "../package.ts";

/** What an escrow keeps. Whoever is handed it ends its life with {@link wipe}. */
export interface EscrowSecrets {
  /** Raw X25519 private key of the generation, 32 bytes (RFC 7748). */
  readonly privateKey: Uint8Array;
  /** PKCS #8 DER of the ceremony key (P-256), which signs the generation's transcript and nothing else. */
  readonly ceremonyKey: Uint8Array;
}

/** The public halves of an escrow's secrets. */
export interface EscrowPublicKeys {
  /** Raw X25519 public key, 32 bytes. */
  readonly publicKey: Buffer;
  /** SubjectPublicKeyInfo of the ceremony key, DER. */
  readonly ceremonySpki: Buffer;
}

/** A new generation's private key, and the key of its ceremonies. */
export function makeSecrets(): EscrowSecrets {
  const pkcs8 = { format: "der", type: "pkcs8" } as const;
  return {
    privateKey: generateKeyPairSync("x25519").privateKey.export({ format: "raw-private" }),
    ceremonyKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(pkcs8),
  };
}

/** The public halves. Throws what Node's crypto throws for bytes that are no keys. */
export function publicKeysOf({ privateKey, ceremonyKey }: EscrowSecrets): EscrowPublicKeys {
  return {
    publicKey: publicKeyOf(privateKey),
    ceremonySpki: createPublicKey(ceremonyKeyObject(ceremonyKey)).export({ format: "der", type: "spki" }),
  };
}

/** The ceremony key as transcripts sign with it. */
export async function ceremonySigner({ ceremonyKey }: EscrowSecrets, keyId: string): Promise<KeySigner> {
  const pem = ceremonyKeyObject(ceremonyKey).export({ format: "pem", type: "pkcs8" }).toString();
  return loadPemSigner(pem, `escrow:${keyId}`);
}

/** A ceremony key's public half. @param spki SubjectPublicKeyInfo (DER), base64 */
export function ceremonyPublicKey(spki: string): KeyObject {
  return createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
}

/** Overwrites the secrets with zeros. */
export function wipe(secrets: EscrowSecrets): void {
  secrets.privateKey.fill(0);
  secrets.ceremonyKey.fill(0);
}

/** The secrets as one CBOR map (RFC 8949). */
export function encodeSecrets({ privateKey, ceremonyKey }: EscrowSecrets): Uint8Array {
  return encode({ privateKey, ceremonyKey });
}

/** The secrets of {@link encodeSecrets}, or null for other bytes. */
export function decodeSecrets(bytes: Uint8Array): EscrowSecrets | null {
  try {
    const { privateKey, ceremonyKey } = decode(bytes);
    const whole = privateKey instanceof Uint8Array && privateKey.length === 32 && ceremonyKey instanceof Uint8Array;
    return whole ? { privateKey, ceremonyKey } : null;
  } catch {
    return null;
  }
}

function ceremonyKeyObject(key: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(key), format: "der", type: "pkcs8" });
}
