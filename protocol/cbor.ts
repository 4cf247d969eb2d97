import { type DecodeOptions, decode, encode, rfc8949EncodeOptions } from "cborg";
import { viewOf } from "./hex.ts";

/** What cborg must be told so that it refuses whatever core deterministic encoding (RFC 8949, section 4.2.1) forbids. */
export const STRICT: DecodeOptions = Object.freeze({
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
});

/** Core deterministic encoding (RFC 8949, section 4.2.1). A Map keeps integer keys. */
export function encodeCbor(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/**
 * The value of deterministic CBOR; anything else throws cborg's error. cborg's strict mode does not look at the order
 * of a map's keys nor at the width of floats, so the value is encoded again and compared.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const value: unknown = decode(bytes, STRICT);
  if (!viewOf(encodeCbor(value)).equals(bytes)) throw new Error("CBOR is not in core deterministic encoding");
  return value;
}
