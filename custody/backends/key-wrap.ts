import { randomBytes } from "node:crypto";
import { aeadOpen, aeadSeal } from "../../protocol/aead.ts";

/** What protects keys at rest: an identity, a device, a service. */
export interface KeyWrap {
  /**
   * Encrypts bytes, so that they open under the same context alone.
   * @param context what the bytes are: the id of a key, or `audit-signer`
   */
  readonly wrap: (bytes: Uint8Array, context: string) => Promise<Buffer>;
  /**
   * The bytes, or null when they were not wrapped here under this context. Rejects when it cannot tell: the device or the
   * service does not answer.
   */
  readonly unwrap: (wrapped: Uint8Array, context: string) => Promise<Buffer | null>;
  /** Forgets what it holds in memory, and lets go of the device. */
  readonly close: () => Promise<void>;
}

const NONCE_BYTES = 12;

/**
 * Wraps with AES-256-GCM (NIST SP 800-38D): nonce, ciphertext, tag; the context is its additional data.
 * @param key 32 bytes, owned from here on: closing fills it with zeros
 */
export function aesKeyWrap(key: Buffer): KeyWrap {
  const aad = (context: string): Buffer => Buffer.from(`trustkern-key/1 ${context}`, "utf8");
  return {
    wrap: async (bytes, context) => {
      const nonce = randomBytes(NONCE_BYTES);
      return Buffer.concat([nonce, aeadSeal(key, nonce, aad(context), bytes)]);
    },
    unwrap: async (wrapped, context) => {
      const nonce = wrapped.subarray(0, NONCE_BYTES);
      const bytes =
        nonce.length === NONCE_BYTES ? aeadOpen(key, nonce, aad(context), wrapped.subarray(NONCE_BYTES)) : null;
      return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    },
    close: async () => {
      key.fill(0);
    },
  };
}
