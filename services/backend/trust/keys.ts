import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { CompactSign } from "jose";
import { hexOf } from "../../../protocol/hex.ts";
import { p256Signer, type Signer } from "../../../protocol/signature.ts";
import type { SecurityEvents } from "../../runtime/security-events.ts";
import { readText } from "../../runtime/tls.ts";
import { backendErrors } from "../errors.ts";

/** What a signature of the backend's key is for. */
export type SigningPurpose =
  | "allowlist"
  | "provisioning-bundle"
  | "sensor-update"
  | "enrolment-verdict"
  | "gateway-configuration"
  | "gateway-firmware";

/** The key that gateways, collectors and sensors know the backend by. */
export interface SigningKey {
  /** Uncompressed P-256 point in lower-case hex. */
  readonly publicKey: string;
  /** A signer that reports each use of the key as `KEY_USED`. */
  readonly signerFor: (purpose: SigningPurpose, object: string) => Signer;
  /** A JWS (compact, ES256) over JSON; reported likewise. */
  readonly jws: (purpose: SigningPurpose, object: string, payload: object) => Promise<string>;
  /** The private key as PKCS#8 PEM, for what makes tokens and chains of records itself. A secret. */
  readonly pem: () => string;
}

/**
 * Reads the signing key.
 * @throws SERVICE_FILE_UNREADABLE
 * @throws BACKEND_KEY_INVALID
 */
export function readSigningKey(file: string, events: Pick<SecurityEvents, "emit">): SigningKey {
  const key = parsePrivateKey(readText(file), file);
  const sign = p256Signer(key);
  return {
    publicKey: hexOf(createPublicKey(key).export({ format: "raw-public" })),
    signerFor: (purpose, object) => (data) => {
      events.emit({ kind: "KEY_USED", object, reason: purpose });
      return sign(data);
    },
    jws: (purpose, object, payload) => {
      events.emit({ kind: "KEY_USED", object, reason: purpose });
      const bytes = new TextEncoder().encode(JSON.stringify(payload));
      return new CompactSign(bytes).setProtectedHeader({ alg: "ES256" }).sign(key);
    },
    pem: () => key.export({ format: "pem", type: "pkcs8" }).toString(),
  };
}

function parsePrivateKey(pem: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw backendErrors.error("BACKEND_KEY_INVALID", "the signing key is no PEM private key", { path });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw backendErrors.error("BACKEND_KEY_INVALID", `the signing key is ${key.asymmetricKeyType}, accepted: P-256`, {
      path,
    });
  return key;
}

/**
 * Reads the Thread network key: 16 bytes in hex.
 * @throws SERVICE_FILE_UNREADABLE
 * @throws BACKEND_KEY_INVALID
 */
export function readNetworkKey(file: string): string {
  const text = readText(file).trim();
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  throw backendErrors.error("BACKEND_KEY_INVALID", "the network key is not 32 of 0-9 a-f", { path: file });
}
