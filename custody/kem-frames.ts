import { decode, encode } from "cborg";
import type { KemItem, KemResult } from "./backends/backend.ts";
import { custodyErrors } from "./errors.ts";

/** Most items in one request. */
export const MAX_KEM_ITEMS = 1024;

const KEY_ID_BYTES = 8;
const SECRET_BYTES = 32;
const ITEM_BYTES = KEY_ID_BYTES + 32;
const RESULT_BYTES = 1 + SECRET_BYTES;
/** Longest body of a frame: 1024 items, and room for the map around them. */
const MAX_FRAME_BYTES = MAX_KEM_ITEMS * ITEM_BYTES + 64;
const STATUS = ["opened", "unknown-key", "decapsulation-failed"] as const;

/** A batch to open. Frame: u32be length, then CBOR `{id, items}`; `items` is n times key id (8) and `enc` (32). */
export interface KemRequest {
  readonly id: number;
  readonly items: Uint8Array;
}

/**
 * What custody answers: `results` is n times a status byte (0 opened, 1 unknown key, 2 decapsulation failed) and the shared
 * secret (32, zeros unless opened); `sealed` says that custody holds no keys now, and judges no message.
 */
export type KemResponse =
  | { readonly id: number; readonly results: Uint8Array }
  | { readonly id: number; readonly error: "sealed" };

/** The frame of a request or a response. */
export function encodeFrame(message: KemRequest | KemResponse): Uint8Array {
  const body = encode(message);
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32BE(body.length);
  frame.set(body, 4);
  return frame;
}

/** @throws CUSTODY_FRAME_MALFORMED */
export function parseRequest(body: Uint8Array): KemRequest {
  const { id, items } = parseMap(body);
  if (!isBytes(items, ITEM_BYTES) || items.length === 0) throw malformed("items are not packed items");
  return { id, items };
}

/** @throws CUSTODY_FRAME_MALFORMED */
export function parseResponse(body: Uint8Array): KemResponse {
  const { id, results, error } = parseMap(body);
  if (error === "sealed") return { id, error };
  if (!isBytes(results, RESULT_BYTES)) throw malformed("results are not packed results");
  return { id, results };
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

/** Packs results for a response. */
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
 * @throws CUSTODY_FRAME_MALFORMED
 */
export function unpackResults(results: Uint8Array, count: number): readonly KemResult[] {
  if (results.length !== count * RESULT_BYTES) throw malformed(`${results.length} bytes for ${count} items`);
  return Array.from({ length: count }, (_, index): KemResult => {
    const at = index * RESULT_BYTES;
    const status = STATUS[results[at] ?? -1];
    if (status === undefined) throw malformed(`status ${results[at]}`);
    return status === "opened" ? results.subarray(at + 1, at + RESULT_BYTES) : status;
  });
}

/** Cuts a stream into frame bodies; never holds more than one frame and one chunk. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * The bodies that this chunk completes.
   * @throws CUSTODY_FRAME_MALFORMED when a length is 0 or out of bounds
   */
  push(chunk: Buffer): readonly Uint8Array[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const bodies: Uint8Array[] = [];
    while (rest.length >= 4) {
      const length = rest.readUInt32BE();
      if (length === 0 || length > MAX_FRAME_BYTES)
        throw malformed(`length ${length}, accepted: 1 to ${MAX_FRAME_BYTES}`);
      if (rest.length < 4 + length) break;
      bodies.push(rest.subarray(4, 4 + length));
      rest = rest.subarray(4 + length);
    }
    this.#rest = rest;
    return bodies;
  }
}

function parseMap(body: Uint8Array): { id: number; items?: unknown; results?: unknown; error?: unknown } {
  let value: unknown;
  try {
    value = decode(body, { strict: true, rejectDuplicateMapKeys: true, allowIndefinite: false });
  } catch {
    throw malformed("not CBOR");
  }
  const id = (value as { id?: unknown } | null)?.id;
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) throw malformed("no id");
  return value as { id: number };
}

function isBytes(value: unknown, unit: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length % unit === 0 && value.length <= MAX_KEM_ITEMS * unit;
}

function malformed(reason: string): Error {
  return custodyErrors.error("CUSTODY_FRAME_MALFORMED", `malformed frame: ${reason}`);
}
