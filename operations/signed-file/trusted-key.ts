import { createPublicKey, type KeyObject } from "node:crypto";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import type { Refuse } from "./refusals.ts";

/**
 * The key that a PEM text is, held against the fingerprint that is trusted.
 * @param path of the file that the text is from, for errors
 * @param fingerprint SHA-256 of its SPKI in hex, colons and case do not matter. @default the file itself is trusted
 * @throws …_KEY_INVALID, …_OTHER_KEY
 */
export function trustedKey(pem: string, path: string, fingerprint: string | undefined, refuse: Refuse): KeyObject {
  const key = publicKeyOf(pem, path, refuse);
  if (fingerprint === undefined) return key;
  const trusted = fingerprint.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(trusted)) {
    const message = `"${fingerprint}" is no fingerprint; accepted: 64 hex digits, with or without colons`;
    throw refuse("KEY_INVALID", message, { path: "--fingerprint" });
  }
  const found = fingerprintOf(key);
  if (found === trusted) return key;
  throw refuse("OTHER_KEY", `the key in it is ${found}, and ${trusted} is trusted`, { path });
}

function publicKeyOf(pem: string, path: string, refuse: Refuse): KeyObject {
  const invalid = () => refuse("KEY_INVALID", "no P-256 public key in PEM is in it", { path });
  // A private key has a public half as well, and has no place here.
  if (!pem.includes("-----BEGIN PUBLIC KEY-----")) throw invalid();
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw invalid();
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw invalid();
  return key;
}
