import { createPrivateKey, createPublicKey, decapsulate, encapsulate, hash, type KeyObject } from "node:crypto";
import { aeadOpen, aeadSeal } from "./aead.ts";
import { protocolErrors } from "./errors.ts";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";

// RFC 9180, base mode, single shot: KEM 0x0020 DHKEM(X25519, HKDF-SHA256), KDF 0x0001 HKDF-SHA256, AEAD 0x0001 AES-128-GCM.
const SUITE = Buffer.from("HPKE\x00\x20\x00\x01\x00\x01", "latin1");
const KEM_SUITE = Buffer.from("KEM\x00\x20", "latin1");
const MODE_BASE = Buffer.of(0);
const EMPTY = Buffer.alloc(0);
const KEY_BYTES = 16;
const NONCE_BYTES = 12;
const SECRET_BYTES = 32;

/** Length of an encapsulated key in bytes. */
export const ENC_BYTES = 32;

/** The part of the key schedule that depends on `info` alone, made once by {@link prepareInfo}. */
export interface PreparedInfo {
  /** `info` of the LabeledExpand that gives the key. */
  readonly keyInfo: Uint8Array;
  /** `info` of the LabeledExpand that gives the nonce. */
  readonly nonceInfo: Uint8Array;
}

/** Hashes `info` into everything of the key schedule that is the same for each message (RFC 9180, section 5.1). */
export function prepareInfo(info: Uint8Array): PreparedInfo {
  const pskIdHash = hkdfExtract(EMPTY, labeled("psk_id_hash", EMPTY));
  const infoHash = hkdfExtract(EMPTY, labeled("info_hash", info));
  const context = Buffer.concat([MODE_BASE, pskIdHash, infoHash]);
  return {
    keyInfo: Buffer.concat([Buffer.of(0, KEY_BYTES), labeled("key", context)]),
    nonceInfo: Buffer.concat([Buffer.of(0, NONCE_BYTES), labeled("base_nonce", context)]),
  };
}

const SECRET_INPUT = labeled("secret", EMPTY);

/** `info` of telemetry envelopes, prepared. */
export const TELEMETRY_INFO: PreparedInfo = prepareInfo(Buffer.from("trustkern/telemetry/v1", "ascii"));

/** Key and nonce of the first message (RFC 9180, section 5.1: KeySchedule, mode base). */
export function hpkeKeySchedule(
  sharedSecret: Uint8Array,
  info: PreparedInfo,
): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const secret = hkdfExtract(sharedSecret, SECRET_INPUT);
  return {
    key: hkdfExpand(secret, info.keyInfo, KEY_BYTES),
    nonce: hkdfExpand(secret, info.nonceInfo, NONCE_BYTES),
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
  const { key, nonce } = hpkeKeySchedule(sharedSecret, info);
  return aeadOpen(key, nonce, aad, ciphertext);
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
  const { key, nonce } = hpkeKeySchedule(sharedKey, info);
  return { enc, ciphertext: aeadSeal(key, nonce, aad, plaintext) };
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
 * The shared secret of a Diffie-Hellman output that a device computed (RFC 9180, section 4.1: Decap of DHKEM, from `dh` on).
 * @param dh - X25519 of the recipient's private key and `enc`, 32 bytes; the caller's to erase
 * @param publicKey - the recipient's, raw, 32 bytes
 * @returns 32 bytes, or null for a `dh` of zeros, which is what a point of low order gives (section 7.1.4)
 */
export function dhkemSharedSecret(dh: Uint8Array, enc: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
  if (dh.every((octet) => octet === 0)) return null;
  const input = labeled("eae_prk", dh, KEM_SUITE);
  const pseudoRandomKey = hkdfExtract(EMPTY, input);
  const context = labeled("shared_secret", Buffer.concat([enc, publicKey]), KEM_SUITE);
  const secret = hkdfExpand(pseudoRandomKey, Buffer.concat([Buffer.of(0, SECRET_BYTES), context]), SECRET_BYTES);
  input.fill(0);
  pseudoRandomKey.fill(0);
  return secret;
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
  // A view: a copy of a private key would stay in memory.
  return make(Buffer.from(raw.buffer, raw.byteOffset, raw.length));
}

/** `label` with the suite (of HPKE, or of the KEM alone), as LabeledExtract and LabeledExpand prefix it (RFC 9180, section 4). */
function labeled(label: string, input: Uint8Array, suite: Uint8Array = SUITE): Buffer {
  return Buffer.concat([Buffer.from("HPKE-v1"), suite, Buffer.from(label), input]);
}
