import { randomBytes } from "node:crypto";
import { aeadOpen, aeadSeal } from "../../../protocol/aead.ts";
import { custodyStoreErrors } from "../errors.ts";

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
  /** Forgets what it holds in memory, and lets go of the device. Nothing is wrapped afterwards. */
  readonly close: () => Promise<void>;
}

const NONCE_BYTES = 12;

/** What a wrapped key is bound to, in bytes. */
export function boundContext(context: string): Buffer {
  return Buffer.from(`trustkern-key/1 ${context}\n`, "utf8");
}

/** The error for a wrap that was closed: a key that it no longer has must not turn into zeros. */
export function wrapClosed(): Error {
  return custodyStoreErrors.error("CUSTODY_STORE_CLOSED", "what wraps the keys is closed");
}

/**
 * Wraps with AES-256-GCM (NIST SP 800-38D): nonce, ciphertext, tag; the context is its additional data.
 * @param key 32 bytes, owned from here on: closing fills it with zeros
 */
export function aesKeyWrap(key: Buffer): KeyWrap {
  let closed = false;
  const openKey = (): Buffer => {
    if (closed) throw wrapClosed();
    return key;
  };
  return {
    wrap: async (bytes, context) => {
      const nonce = randomBytes(NONCE_BYTES);
      return Buffer.concat([nonce, aeadSeal(openKey(), nonce, boundContext(context), bytes)]);
    },
    unwrap: async (wrapped, context) => {
      const nonce = wrapped.subarray(0, NONCE_BYTES);
      if (nonce.length < NONCE_BYTES) return null;
      const bytes = aeadOpen(openKey(), nonce, boundContext(context), wrapped.subarray(NONCE_BYTES));
      return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    },
    close: async () => {
      closed = true;
      key.fill(0);
    },
  };
}
