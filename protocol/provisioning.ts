import { encode } from "cborg";

const PROOF_DOMAIN = Buffer.from("trustkern/provision/v1\0", "ascii");
const ACTIVATION_DOMAIN = Buffer.from("trustkern/activate/v1\0", "ascii");

/** What a sensor signs to prove that it holds the key that it shows. */
export interface ProofOfPossession {
  /** 9 bytes. */
  readonly sensorId: Uint8Array;
  /** Uncompressed P-256 point, 65 bytes (SEC 1, section 2.3.3). */
  readonly publicKey: Uint8Array;
  /** The backend's challenge, 32 bytes. */
  readonly nonce: Uint8Array;
}

/** What a sensor signs once it has taken its bundle. */
export interface Activation {
  /** 9 bytes. */
  readonly sensorId: Uint8Array;
  /** 16 bytes. */
  readonly bundleId: Uint8Array;
}

/** The bytes under the signature of a proof of possession: the domain, then deterministic CBOR (RFC 8949, section 4.2.1). */
export function proofBytes({ sensorId, publicKey, nonce }: ProofOfPossession): Uint8Array {
  return signedBytes(PROOF_DOMAIN, [1, sensorId, publicKey, nonce]);
}

/** The bytes under the signature of an activation, of the same make. */
export function activationBytes({ sensorId, bundleId }: Activation): Uint8Array {
  return signedBytes(ACTIVATION_DOMAIN, [1, sensorId, bundleId]);
}

/** The values become a map with the keys 1, 2, 3 …; a Buffer would be encoded as one, so each is made a plain view. */
function signedBytes(domain: Uint8Array, values: readonly (number | Uint8Array)[]): Uint8Array {
  const map = new Map(values.map((value, index) => [index + 1, value]));
  return Buffer.concat([domain, encode(map)]);
}
