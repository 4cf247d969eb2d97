import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import { certsErrors } from "./errors.ts";

/** ECDSA on P-256 (FIPS 186-5), the algorithm of everything but roots. */
export const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;

/** ECDSA on P-384 (FIPS 186-5), the algorithm of roots. */
export const P384 = { name: "ECDSA", namedCurve: "P-384" } as const;

/** One of the two algorithms of this PKI. */
export type KeyAlgorithm = typeof P256 | typeof P384;

/** OpenSSL's names of the curves. */
const CURVES: Readonly<Record<string, KeyAlgorithm>> = { prime256v1: P256, secp384r1: P384 };

/** Makes a key pair whose private half can be written to the secret store. */
export async function generateKeyPair(algorithm: KeyAlgorithm = P256): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** The algorithm with the hash that is as strong as the curve: SHA-256 for P-256, SHA-384 for P-384. */
export function signatureAlgorithm(algorithm: KeyAlgorithm): KeyAlgorithm & { readonly hash: "SHA-256" | "SHA-384" } {
  return { ...algorithm, hash: algorithm.namedCurve === "P-384" ? "SHA-384" : "SHA-256" };
}

/** The algorithm of a public key, or undefined where it is none of ours: RSA, Ed25519, a weaker or an unknown curve. */
export function keyAlgorithm(publicKey: KeyObject): KeyAlgorithm | undefined {
  return CURVES[publicKey.asymmetricKeyDetails?.namedCurve ?? ""];
}

/** Bytes of a SubjectPublicKeyInfo with a named curve and an uncompressed point, the one form of P-256 (RFC 5480, section 2). */
const P256_SPKI_BYTES = 91;

/** Whether DER is a key on P-256 with its curve by name and its point uncompressed: what every leaf has. */
export function isLeafKey(publicKeySpki: Buffer<ArrayBuffer>): boolean {
  if (publicKeySpki.length !== P256_SPKI_BYTES) return false;
  try {
    return keyAlgorithm(createPublicKey({ key: publicKeySpki, format: "der", type: "spki" })) === P256;
  } catch {
    return false;
  }
}

/** The private key as PKCS #8 PEM (RFC 5958). The result is a secret. */
export async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}

/** A private key, ready to sign, and its public half as SPKI. */
export interface LoadedKey {
  readonly signingKey: webcrypto.CryptoKey;
  readonly publicKeySpki: Buffer;
  /** What signs with it, where the key is on a token. @default node:crypto */
  readonly crypto?: webcrypto.Crypto | undefined;
}

/**
 * Reads a private key on P-256 or P-384. What the PEM holds never reaches the error.
 * @throws CERT_AUTHORITY_INVALID
 */
export async function parsePrivateKeyPem(pem: string, path: string): Promise<LoadedKey> {
  try {
    const key = createPrivateKey(pem);
    const publicKey = createPublicKey(pem);
    const algorithm = keyAlgorithm(publicKey);
    if (algorithm === undefined) throw new TypeError("another algorithm");
    const signingKey = await webcrypto.subtle.importKey(
      "pkcs8",
      key.export({ format: "der", type: "pkcs8" }),
      algorithm,
      false,
      ["sign"],
    );
    return { signingKey, publicKeySpki: publicKey.export({ format: "der", type: "spki" }) };
  } catch {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", "the private key is not a P-256 or P-384 key in PKCS #8 PEM", {
      path,
    });
  }
}
