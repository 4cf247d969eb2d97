import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { type Envelope, encodeEnvelope, envelopeSignedBytes } from "./envelope.ts";
import { protocolErrors } from "./errors.ts";

/** Signs with ECDSA P-256 and SHA-256, and gives r || s, 64 bytes: a secure element, an HSM, or {@link p256Signer}. */
export type Signer = (data: Uint8Array) => Promise<Uint8Array> | Uint8Array;

/** An envelope before its signature. */
export type UnsignedEnvelope = Omit<Envelope, "signature">;

/**
 * The P-256 public key of an uncompressed point (SEC 1, section 2.3.3).
 * @throws PROTOCOL_BAD_POINT for another length or form, and for a point that is not on the curve
 */
export function importP256Point(uncompressed: Uint8Array): KeyObject {
  if (uncompressed.length !== 65 || uncompressed[0] !== 4) {
    const got = `${uncompressed.length} bytes that begin with ${uncompressed[0] ?? "nothing"}`;
    throw protocolErrors.error("PROTOCOL_BAD_POINT", `65 bytes 04 || x || y are accepted, got ${got}`);
  }
  try {
    const key = Buffer.from(uncompressed);
    return createPublicKey({ key, format: "raw-public", asymmetricKeyType: "ec", namedCurve: "P-256" });
  } catch (cause) {
    throw protocolErrors.error("PROTOCOL_BAD_POINT", "the point is not on P-256", { cause });
  }
}

/** Verifies r || s over a message (ECDSA P-256, SHA-256). A signature of another length is false. */
export function verifyP256(publicKey: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  return verify("sha256", data, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
}

/** A signer over a P-256 private key in this process. */
export function p256Signer(privateKey: KeyObject): Signer {
  return (data) => sign("sha256", data, { key: privateKey, dsaEncoding: "ieee-p1363" });
}

/** Verifies an envelope's signature over the `signedBytes` that `decodeEnvelope` gave. */
export function verifyEnvelopeSignature(publicKey: KeyObject, signedBytes: Uint8Array, signature: Uint8Array): boolean {
  return verifyP256(publicKey, signedBytes, signature);
}

/**
 * Signs an envelope and gives its bytes.
 * @throws PROTOCOL_BAD_FIELD
 */
export async function signEnvelope(envelope: UnsignedEnvelope, signer: Signer): Promise<Uint8Array> {
  const signature = await signer(envelopeSignedBytes(envelope));
  return encodeEnvelope({ ...envelope, signature });
}
