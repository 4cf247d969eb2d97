import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  hash,
  type KeyObject,
} from "node:crypto";
import { protocolErrors } from "./errors.ts";

// RFC 9180, base mode, single shot: KEM 0x0020 DHKEM(X25519, HKDF-SHA256), KDF 0x0001 HKDF-SHA256, AEAD 0x0001 AES-128-GCM.
const SUITE = Buffer.from("HPKE\x00\x20\x00\x01\x00\x01", "latin1");
const EMPTY = Buffer.alloc(0);
const KEY_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Length of an encapsulated key in bytes. */
export const ENC_BYTES = 32;

/** The part of the key schedule that depends on `info` alone, made once by {@link prepareInfo}. */
export interface PreparedInfo {
  readonly secretInput: Buffer;
  readonly keyInput: Buffer;
  readonly nonceInput: Buffer;
}

/** Hashes `info` into everything of the key schedule that does not depend on a message (RFC 9180, section 5.1). */
export function prepareInfo(info: Uint8Array): PreparedInfo {
  const pskIdHash = hmac(EMPTY, labeled("psk_id_hash", EMPTY));
  const infoHash = hmac(EMPTY, labeled("info_hash", info));
  const context = Buffer.concat([Buffer.of(0), pskIdHash, infoHash]);
  return {
    secretInput: labeled("secret", EMPTY),
    keyInput: expandInput("key", context, KEY_BYTES),
    nonceInput: expandInput("base_nonce", context, NONCE_BYTES),
  };
}

/** `info` of telemetry envelopes, prepared. */
export const TELEMETRY_INFO: PreparedInfo = prepareInfo(Buffer.from("trustkern/telemetry/v1", "ascii"));

/** Key and nonce of the first message (RFC 9180, section 5.1: KeySchedule with mode base). */
export function hpkeKeySchedule(
  sharedSecret: Uint8Array,
  info: PreparedInfo,
): { readonly key: Buffer; readonly nonce: Buffer } {
  const secret = hmac(sharedSecret, info.secretInput);
  return {
    key: hmac(secret, info.keyInput).subarray(0, KEY_BYTES),
    nonce: hmac(secret, info.nonceInput).subarray(0, NONCE_BYTES),
  };
}

/**
 * Opens the only message of a context whose KEM is open already (RFC 9180, section 6.1).
 * @param sharedSecret - 32 bytes, from {@link hpkeDecapsulate}
 * @param ciphertext - AEAD ciphertext and tag, without `enc`
 * @returns the plaintext, or null when it does not authenticate
 */
export function openWithSharedSecret(
  sharedSecret: Uint8Array,
  info: PreparedInfo,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | null {
  const end = ciphertext.length - TAG_BYTES;
  if (end < 0) return null;
  const { key, nonce } = hpkeKeySchedule(sharedSecret, info);
  const decipher = createDecipheriv("aes-128-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(end));
  const plaintext = decipher.update(ciphertext.subarray(0, end));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return plaintext;
}

/** Seals the only message of a context whose shared secret is known. Never twice with one shared secret. */
export function sealWithSharedSecret(
  sharedSecret: Uint8Array,
  info: PreparedInfo,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const { key, nonce } = hpkeKeySchedule(sharedSecret, info);
  const cipher = createCipheriv("aes-128-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Seals one message to a recipient (RFC 9180, section 6.1: SealBase).
 * @param recipientPublic - raw X25519 public key, 32 bytes
 * @returns `enc` (32 bytes), and the AEAD ciphertext with its tag
 * @throws PROTOCOL_BAD_KEY
 */
export function hpkeSeal(
  recipientPublic: Uint8Array,
  info: PreparedInfo,
  aad: Uint8Array,
  plaintext: Uint8Array,
): { readonly enc: Uint8Array; readonly ciphertext: Uint8Array } {
  const { sharedKey, ciphertext: enc } = encapsulateTo(importX25519Public(recipientPublic));
  return { enc, ciphertext: sealWithSharedSecret(sharedKey, info, aad, plaintext) };
}

/**
 * The shared secret of an encapsulated key (RFC 9180, section 4.1: Decap of DHKEM).
 * @returns 32 bytes
 * @throws HPKE_DECAPSULATION_FAILED for another length, and for a key of low order (section 7.1.4)
 */
export function hpkeDecapsulate(privateKey: KeyObject, enc: Uint8Array): Uint8Array {
  try {
    return decapsulate(privateKey, enc);
  } catch (cause) {
    throw protocolErrors.error(
      "HPKE_DECAPSULATION_FAILED",
      `an encapsulated key of ${enc.length} bytes cannot be opened`,
      { cause },
    );
  }
}

/**
 * An X25519 public key of its 32 raw bytes (RFC 7748).
 * @throws PROTOCOL_BAD_KEY
 */
export function importX25519Public(raw: Uint8Array): KeyObject {
  return importX25519(raw, (key) => createPublicKey({ key, format: "raw-public", asymmetricKeyType: "x25519" }));
}

/**
 * An X25519 private key of its 32 raw bytes (RFC 7748).
 * @throws PROTOCOL_BAD_KEY
 */
export function importX25519Private(raw: Uint8Array): KeyObject {
  return importX25519(raw, (key) => createPrivateKey({ key, format: "raw-private", asymmetricKeyType: "x25519" }));
}

/** The 8 bytes by which envelopes name a recipient key: the first of SHA-256 of the raw public key. */
export function keyIdOf(rawPublic: Uint8Array): Buffer {
  return hash("sha256", rawPublic, "buffer").subarray(0, 8);
}

function encapsulateTo(publicKey: KeyObject): { readonly sharedKey: Buffer; readonly ciphertext: Buffer } {
  try {
    return encapsulate(publicKey);
  } catch (cause) {
    throw protocolErrors.error("PROTOCOL_BAD_KEY", "nothing can be encapsulated to this X25519 public key", { cause });
  }
}

function importX25519(raw: Uint8Array, make: (key: Buffer) => KeyObject): KeyObject {
  if (raw.length !== 32) throw protocolErrors.error("PROTOCOL_BAD_KEY", `32 raw bytes are accepted, got ${raw.length}`);
  return make(Buffer.from(raw));
}

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

function labeled(label: string, input: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from("HPKE-v1"), SUITE, Buffer.from(label), input]);
}

/** The one block of HKDF-Expand (RFC 5869, section 2.3): no output here is longer than a hash. */
function expandInput(label: string, context: Uint8Array, length: number): Buffer {
  return Buffer.concat([Buffer.of(0, length), labeled(label, context), Buffer.of(1)]);
}
