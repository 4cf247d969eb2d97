import type { KemItem, KemResult } from "../../../custody/kem.ts";
import type { AllowlistEntry } from "../../../protocol/allowlist.ts";
import { type DecodedEnvelope, decodeEnvelope, type Envelope } from "../../../protocol/envelope.ts";
import { hexOf } from "../../../protocol/hex.ts";
import { ENC_BYTES, openWithSharedSecret, TELEMETRY_INFO } from "../../../protocol/hpke.ts";
import { parsePayload } from "../../../protocol/payload.ts";
import { verifyEnvelopeSignature } from "../../../protocol/signature.ts";
import type { Rejection } from "../../../protocol/verdict.ts";

/** What the checks without a decryption key came to. `unlisted` is no verdict: the caller decides whether its allowlist is fresh. */
export type Checked =
  | { readonly kind: "rejected"; readonly verdict: Rejection }
  | { readonly kind: "unlisted" }
  | { readonly kind: "verified"; readonly decoded: DecodedEnvelope };

/** What opening came to. */
export type Opened =
  | { readonly kind: "rejected"; readonly verdict: Rejection }
  | { readonly kind: "accepted"; readonly envelope: Envelope; readonly payload: Uint8Array };

/**
 * The collector's checks in the spec's order up to the signature.
 * @param topicSensorId - sensor id of the topic that the bytes came on, lower-case hex
 */
export function checkEnvelope(
  bytes: Uint8Array,
  topicSensorId: string,
  lookup: (sensorId: string) => AllowlistEntry,
): Checked {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok) return rejected(decoded.verdict);
  const { sensorId, signature } = decoded.envelope;
  if (hexOf(sensorId) !== topicSensorId) return rejected("malformed");
  const entry = lookup(topicSensorId);
  if (entry.kind === "unknown") return { kind: "unlisted" };
  if (entry.kind === "revoked") return rejected("revoked-sensor");
  const { publicKey } = entry;
  return verifyEnvelopeSignature(publicKey, decoded.signedBytes, signature)
    ? { kind: "verified", decoded }
    : rejected("bad-signature");
}

/** What custody is asked to open for an envelope. */
export function kemItemOf({ keyId, ciphertext }: Envelope): KemItem {
  return { keyId, encapsulatedKey: ciphertext.subarray(0, ENC_BYTES) };
}

/** The checks after custody's answer. The shared secret is overwritten. */
export function openEnvelope({ envelope, aad }: DecodedEnvelope, kem: KemResult): Opened {
  if (kem === "unknown-key") return rejected("unknown-key");
  if (kem === "decapsulation-failed") return rejected("decrypt-failed");
  const plaintext = openWithSharedSecret(kem, TELEMETRY_INFO, aad, envelope.ciphertext.subarray(ENC_BYTES));
  kem.fill(0);
  if (!plaintext) return rejected("decrypt-failed");
  return parsePayload(plaintext).ok ? { kind: "accepted", envelope, payload: plaintext } : rejected("bad-payload");
}

function rejected(verdict: Rejection): { readonly kind: "rejected"; readonly verdict: Rejection } {
  return { kind: "rejected", verdict };
}
