import { createHmac } from "node:crypto";

const HASH_BYTES = 32;
/** The octets 1..255 that number the blocks, made once: this runs twice for every message. */
const COUNTERS = Array.from({ length: 255 }, (_, index) => Uint8Array.of(index + 1));

/**
 * HKDF-Extract with SHA-256 (RFC 5869, section 2.2).
 * @param salt - an empty one is the same as 32 zero bytes
 */
export function hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Buffer {
  return createHmac("sha256", salt).update(inputKey).digest();
}

/**
 * HKDF-Expand with SHA-256 (RFC 5869, section 2.3).
 * @param length - 0..8160 bytes
 * @throws RangeError for a greater length: the caller's bug
 */
export function hkdfExpand(pseudoRandomKey: Uint8Array, info: Uint8Array, length: number): Buffer {
  const count = Math.ceil(length / HASH_BYTES);
  if (count > COUNTERS.length) throw new RangeError(`HKDF-SHA256 expands to at most 8160 bytes, asked for ${length}`);
  const blocks: Buffer[] = [];
  for (const counter of COUNTERS.slice(0, count)) {
    const hmac = createHmac("sha256", pseudoRandomKey);
    const before = blocks.at(-1);
    if (before) hmac.update(before);
    blocks.push(hmac.update(info).update(counter).digest());
  }
  return Buffer.concat(blocks, length);
}
