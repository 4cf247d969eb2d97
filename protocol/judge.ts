import type { KeyObject } from "node:crypto";
import { type DecodedEnvelope, decodeEnvelope } from "./envelope.ts";
import { hexOf } from "./hex.ts";
import { ENC_BYTES, hpkeDecapsulate, openWithSharedSecret, TELEMETRY_INFO } from "./hpke.ts";
import { type ParsedPayload, parsePayload } from "./payload.ts";
import { verifyEnvelopeSignature } from "./signature.ts";
import type { Rejection } from "./verdict.ts";

/** One recipient key, where it is at hand: fixtures and firmware tests. A deployment's keys stay in custody. */
export interface RecipientKey {
  /** 8 bytes in lower-case hex. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/** A rejection, and why. */
export interface Rejected {
  readonly ok: false;
  readonly verdict: Rejection;
  /** Index of the byte that is wrong, where the structure is. */
  readonly offset?: number;
  readonly reason: string;
}

/** An envelope that a known sensor signed. */
export interface Authentic {
  readonly ok: true;
  readonly decoded: DecodedEnvelope;
  /** Lower-case hex. */
  readonly sensorId: string;
}

/** What the allowlist says about a sensor; an `AllowlistEntry` is one. */
export type SensorTrust =
  | { readonly kind: "known"; readonly publicKey: KeyObject }
  | { readonly kind: "revoked" }
  | { readonly kind: "unknown" };

/** Structure, allowlist and signature: what gateway and collector both check before anti-replay. */
export function judgeOrigin(bytes: Uint8Array, trustOf: (sensorId: string) => SensorTrust): Authentic | Rejected {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok) return decoded;
  const sensorId = hexOf(decoded.envelope.sensorId);
  const trust = trustOf(sensorId);
  if (trust.kind === "unknown") return rejected("unknown-sensor", `sensor ${sensorId} is not on the allowlist`);
  if (trust.kind === "revoked") return rejected("revoked-sensor", `sensor ${sensorId} is revoked`);
  if (!verifyEnvelopeSignature(trust.publicKey, decoded.signedBytes, decoded.envelope.signature)) {
    return rejected("bad-signature", "the signature is not the device key's over the other eight fields");
  }
  return { ok: true, decoded, sensorId };
}

/** Recipient key, decryption and payload: what the decryption zone alone can check. */
export function judgeContent(
  { envelope, aad }: DecodedEnvelope,
  recipient: RecipientKey,
): Extract<ParsedPayload, { ok: true }> | Rejected {
  const keyId = hexOf(envelope.keyId);
  if (keyId !== recipient.keyId) return rejected("unknown-key", `key ${keyId} is not held, only ${recipient.keyId} is`);
  const plaintext = open(envelope.ciphertext, aad, recipient.privateKey);
  if (plaintext === null)
    return rejected("decrypt-failed", "sealed to another key, with another info or another header");
  const parsed = parsePayload(plaintext);
  return parsed.ok ? parsed : rejected("bad-payload", `the payload is wrong: ${parsed.reason}`);
}

function open(ciphertext: Uint8Array, aad: Uint8Array, privateKey: KeyObject): Uint8Array | null {
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = hpkeDecapsulate(privateKey, ciphertext.subarray(0, ENC_BYTES));
  } catch {
    return null;
  }
  return openWithSharedSecret(sharedSecret, TELEMETRY_INFO, aad, ciphertext.subarray(ENC_BYTES));
}

function rejected(verdict: Rejection, reason: string): Rejected {
  return { ok: false, verdict, reason };
}
