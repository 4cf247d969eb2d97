import { createPublicKey, type KeyObject } from "node:crypto";
import { fingerprintOf } from "../../../stacks/host/trust/signing-key.ts";
import { evidenceErrors } from "../errors.ts";

/**
 * The key that a PEM text is, held against the fingerprint that is trusted.
 * @param path of the file that the text is from, for errors
 * @param fingerprint SHA-256 of its SPKI in hex, colons and case do not matter. @default the file itself is trusted
 * @throws EVIDENCE_KEY_INVALID, EVIDENCE_OTHER_KEY
 */
export function trustedKey(pem: string, path: string, fingerprint?: string): KeyObject {
  const key = publicKeyOf(pem, path);
  if (fingerprint === undefined) return key;
  const trusted = fingerprint.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(trusted)) {
    const message = `"${fingerprint}" is no fingerprint; accepted: 64 hex digits, with or without colons`;
    throw evidenceErrors.error("EVIDENCE_KEY_INVALID", message, { path: "--fingerprint" });
  }
  const found = fingerprintOf(key);
  if (found === trusted) return key;
  throw evidenceErrors.error("EVIDENCE_OTHER_KEY", `the key in it is ${found}, and ${trusted} is trusted`, { path });
}

function publicKeyOf(pem: string, path: string): KeyObject {
  // A private key has a public half as well, and has no place here.
  if (!pem.includes("-----BEGIN PUBLIC KEY-----")) throw invalid(path);
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw invalid(path);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw invalid(path);
  return key;
}

function invalid(path: string) {
  return evidenceErrors.error("EVIDENCE_KEY_INVALID", "no P-256 public key in PEM is in it", { path });
}
