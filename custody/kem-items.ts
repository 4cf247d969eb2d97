import type { KemItem, KemResult } from "./kem.ts";
import { kemErrors } from "./kem-errors.ts";

/** Most items in one request. */
export const MAX_KEM_ITEMS = 1024;

/** Why something is opened: a message that came now, or one that was stored. */
export const KEM_USES = ["live", "stored"] as const;

/** One of {@link KEM_USES}. */
export type KemUse = (typeof KEM_USES)[number];

const KEY_ID_BYTES = 8;
const SECRET_BYTES = 32;
const STATUS = ["opened", "unknown-key", "decapsulation-failed"] as const;

/** Bytes of one packed item: key id and `enc`. */
export const ITEM_BYTES = KEY_ID_BYTES + 32;

/** Bytes of one packed result: status and shared secret. */
export const RESULT_BYTES = 1 + SECRET_BYTES;

/** How many items these bytes are; null for what is no packed items, none included. */
export function countItems(packed: Uint8Array): number | null {
  const count = packed.length / ITEM_BYTES;
  return Number.isInteger(count) && count > 0 && count <= MAX_KEM_ITEMS ? count : null;
}

/** The items of a request, as views on its bytes. */
export function unpackItems(items: Uint8Array): readonly KemItem[] {
  return Array.from({ length: items.length / ITEM_BYTES }, (_, index) => {
    const at = index * ITEM_BYTES;
    return {
      keyId: items.subarray(at, at + KEY_ID_BYTES),
      encapsulatedKey: items.subarray(at + KEY_ID_BYTES, at + ITEM_BYTES),
    };
  });
}

/** Packs items for a request. */
export function packItems(items: readonly KemItem[]): Uint8Array {
  const packed = Buffer.allocUnsafe(items.length * ITEM_BYTES);
  items.forEach(({ keyId, encapsulatedKey }, index) => {
    packed.set(keyId, index * ITEM_BYTES);
    packed.set(encapsulatedKey, index * ITEM_BYTES + KEY_ID_BYTES);
  });
  return packed;
}

/** Packs results for a response: for each a status byte and the shared secret, zeros unless it was opened. */
export function packResults(results: readonly KemResult[]): Uint8Array {
  const packed = Buffer.alloc(results.length * RESULT_BYTES);
  results.forEach((result, index) => {
    const at = index * RESULT_BYTES;
    if (typeof result === "string") packed[at] = STATUS.indexOf(result);
    else packed.set(result, at + 1);
  });
  return packed;
}

/**
 * The results of a response to `count` items; secrets are views on its bytes.
 * @throws CUSTODY_KEM_MALFORMED
 */
export function unpackResults(results: Uint8Array, count: number): readonly KemResult[] {
  if (results.length !== count * RESULT_BYTES)
    throw kemErrors.error("CUSTODY_KEM_MALFORMED", `${results.length} bytes are no results of ${count} items`);
  return Array.from({ length: count }, (_, index): KemResult => {
    const at = index * RESULT_BYTES;
    const status = STATUS[results[at] ?? -1];
    if (status === undefined) throw kemErrors.error("CUSTODY_KEM_MALFORMED", `a result has status ${results[at]}`);
    return status === "opened" ? results.subarray(at + 1, at + RESULT_BYTES) : status;
  });
}
