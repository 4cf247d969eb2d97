import { cliErrors } from "./errors.ts";

// More than twice the largest envelope in hex, with its line breaks.
const MAX_INPUT_BYTES = 32 * 1024;

/**
 * The bytes of an envelope given as hex, as base64 (either alphabet), or as they are. An envelope itself begins with
 * a CBOR map's byte, 0xa0 or above, which no text has.
 * @throws CLI_ENVELOPE_ENCODING
 */
export function envelopeBytes(input: Uint8Array): Uint8Array {
  if (input.length === 0 || input.length > MAX_INPUT_BYTES) {
    const message = `${input.length} bytes are no envelope; accepted: 1 to 4096 bytes, or their hex or base64`;
    throw cliErrors.error("CLI_ENVELOPE_ENCODING", message);
  }
  const text = Buffer.from(input).toString("latin1").replace(/\s+/g, "");
  if (/^(?:[0-9a-fA-F]{2})+$/.test(text)) return Buffer.from(text, "hex");
  if (/^[0-9a-fA-F]+$/.test(text)) {
    throw cliErrors.error("CLI_ENVELOPE_ENCODING", `${text.length} hex digits are an odd number; a byte has two`);
  }
  if (/^[A-Za-z0-9+/_-]{4,}={0,2}$/.test(text)) return Buffer.from(text, "base64");
  return input;
}
