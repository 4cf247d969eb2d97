import type { KeyObject } from "node:crypto";
import { encodeCbor } from "./cbor.ts";
import { importP256Point, verifyP256 } from "./signature.ts";

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

/**
 * Whether the holder of `publicKey` signed this challenge for this sensor.
 * @throws PROTOCOL_BAD_POINT
 */
export function verifyProof(proof: ProofOfPossession, signature: Uint8Array): boolean {
  return verifyP256(importP256Point(proof.publicKey), proofBytes(proof), signature);
}

/** Whether the sensor whose key this is took this bundle. */
export function verifyActivation(publicKey: KeyObject, activation: Activation, signature: Uint8Array): boolean {
  return verifyP256(publicKey, activationBytes(activation), signature);
}

/** The values become a CBOR map with the keys 1, 2, 3 … */
function signedBytes(domain: Uint8Array, values: readonly (number | Uint8Array)[]): Uint8Array {
  const map = new Map(values.map((value, index) => [index + 1, value]));
  return Buffer.concat([domain, encodeCbor(map)]);
}
