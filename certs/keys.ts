import { createPrivateKey, createPublicKey, webcrypto } from "node:crypto";
import { certsErrors } from "./errors.ts";

/** ECDSA on P-256 (FIPS 186-5), the one algorithm of this PKI. */
export const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;

/** Makes a P-256 key pair whose private half can be written to the secret store. */
export async function generateKeyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(P256, true, ["sign", "verify"]);
}

/** The private key as PKCS #8 PEM (RFC 5958). The result is a secret. */
export async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}

/** A PKCS #8 PEM private key, ready to sign, and its public half as SPKI. */
export interface LoadedKey {
  readonly signingKey: webcrypto.CryptoKey;
  readonly publicKeySpki: Buffer;
}

/**
 * Reads a P-256 private key. What the PEM holds never reaches the error.
 * @throws CERT_AUTHORITY_INVALID
 */
export async function parsePrivateKeyPem(pem: string, path: string): Promise<LoadedKey> {
  try {
    const key = createPrivateKey(pem);
    const signingKey = await webcrypto.subtle.importKey(
      "pkcs8",
      key.export({ format: "der", type: "pkcs8" }),
      P256,
      false,
      ["sign"],
    );
    return { signingKey, publicKeySpki: createPublicKey(pem).export({ format: "der", type: "spki" }) };
  } catch {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", "the private key is not a P-256 key in PKCS #8 PEM", { path });
  }
}
