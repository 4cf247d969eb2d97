import type { webcrypto } from "node:crypto";

/** The curves of this PKI's authorities (FIPS 186-5): P-384 for roots, P-256 for the others. */
export type Curve = "P-256" | "P-384";

/** A private key that signs, wherever it is. Certificates, CRLs and JWS are made of it the same way. */
export interface KeySigner {
  /** The public half, DER (RFC 5480). */
  readonly publicKeySpki: Buffer;
  readonly publicKey: webcrypto.CryptoKey;
  readonly curve: Curve;
  /** What `crypto.subtle.sign` takes. It has no key material unless the key is a software key. */
  readonly signingKey: webcrypto.CryptoKey;
  /** Second argument of `@peculiar/x509`'s generators: signs with `signingKey` where that is, and does the rest in this process. */
  readonly crypto: webcrypto.Crypto;
  /** Where the key is, for transcripts and people, without a secret: `pkcs11:token=acme;object=demo-root`. */
  readonly where: string;
  /** Lets go of the device. The signer signs nothing afterwards. */
  readonly close: () => Promise<void>;
}

/** Octets of a coordinate on each curve. */
export const COORDINATE_BYTES: Readonly<Record<Curve, number>> = { "P-256": 32, "P-384": 48 };

/** The hash that goes with each curve (RFC 5480, section 4). */
export const CURVE_HASH = { "P-256": "SHA-256", "P-384": "SHA-384" } as const;
