import { createCipheriv, createDecipheriv } from "node:crypto";
import { gcm } from "@noble/ciphers/aes.js";

/** Length of an AES-GCM tag in bytes. */
export const TAG_BYTES = 16;

/** Longest nonce in bytes that OpenSSL takes; the standard has no such bound. HPKE's nonces have 12. */
const OPENSSL_NONCE_MAX = 128;

/** AES in Galois/Counter mode (NIST SP 800-38D), by the length of its key. Envelopes have AES-128. */
function algorithm(key: Uint8Array) {
  return `aes-${(key.length * 8) as 128 | 192 | 256}-gcm` as const;
}

/** AES-GCM ciphertext with its tag of 16 bytes. Never twice with one key and nonce. */
export function aeadSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  if (nonce.length > OPENSSL_NONCE_MAX) return gcm(key, nonce, aad).encrypt(plaintext);
  const cipher = createCipheriv(algorithm(key), key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * The plaintext of an AES-GCM ciphertext with its tag.
 * @returns null when it does not authenticate, and then nothing of the plaintext leaves this function
 */
export function aeadOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | null {
  const end = ciphertext.length - TAG_BYTES;
  if (end < 0) return null;
  if (nonce.length > OPENSSL_NONCE_MAX) return openLongNonce(key, nonce, aad, ciphertext);
  const decipher = createDecipheriv(algorithm(key), key, nonce, { authTagLength: TAG_BYTES });
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

function openLongNonce(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | null {
  try {
    return gcm(key, nonce, aad).decrypt(ciphertext);
  } catch {
    return null;
  }
}
