import { type KeyObject, verify } from "node:crypto";
import { type DsseSignature, preAuthenticationEncoding } from "./dsse.ts";
import { isLowS } from "./low-s.ts";

/**
 * What one signature of an envelope is worth: `good`; `unknown`, its keyid is of no key that was named; `bad`, that key did not make it
 * over this content; `high-s`, it is the other one of two that verify, which anybody can make of the first.
 */
export type SignatureState = "good" | "unknown" | "bad" | "high-s";

/**
 * Judges each signature of an envelope: ECDSA P-256 with SHA-256 in DER (RFC 3279, section 2.2.3), as openssl and cosign read it. A
 * keyid only says with which of the keys it is tried.
 * @param keys by keyid, which the caller has worked out from the key itself
 */
export function judgeSignatures(
  payloadType: string,
  payload: Uint8Array,
  signatures: readonly DsseSignature[],
  keys: ReadonlyMap<string, KeyObject>,
): readonly SignatureState[] {
  const signed = preAuthenticationEncoding(payloadType, payload);
  return signatures.map(({ keyid = "", sig }) => {
    const key = keys.get(keyid);
    if (key === undefined) return "unknown";
    if (!verify("sha256", signed, { key, dsaEncoding: "der" }, sig)) return "bad";
    return isLowS(sig) ? "good" : "high-s";
  });
}
