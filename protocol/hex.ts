import { protocolErrors } from "./errors.ts";

const HEX = /^(?:[0-9a-f]{2})*$/;

/** Lower-case hexadecimal of some bytes. */
export function hexOf(bytes: Uint8Array): string {
  return viewOf(bytes).toString("hex");
}

/** Whether a value is the lower-case hexadecimal of that many bytes. */
export function isHex(value: unknown, length: number): value is string {
  return typeof value === "string" && value.length === 2 * length && HEX.test(value);
}

/**
 * The bytes of lower-case hexadecimal text.
 * @param length - number of bytes expected; any number when left out
 * @throws PROTOCOL_BAD_HEX
 */
export function bytesOfHex(text: string, length?: number): Buffer {
  if (!HEX.test(text) || (length !== undefined && text.length !== 2 * length)) {
    const wanted = length === undefined ? "an even number of" : String(2 * length);
    throw protocolErrors.error(
      "PROTOCOL_BAD_HEX",
      `${wanted} characters 0-9a-f are accepted, got ${text.length} characters`,
    );
  }
  return Buffer.from(text, "hex");
}

/** The same memory as a Buffer, without a copy. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
