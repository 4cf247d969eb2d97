import { randomBytes } from "node:crypto";

/** What a sensor's message is (RFC 7252, section 12.3): CBOR. */
const CBOR = 60;
const [URI_PATH, CONTENT_FORMAT] = [11, 12];
const TOKEN_BYTES = 4;

/**
 * A confirmable POST to `/tk/v1` (RFC 7252, section 3), as a sensor sends an envelope (docs/spec/envelope.md).
 * @param payload at most what fits into one datagram
 */
export function coapPost(payload: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from([0x40 | TOKEN_BYTES, 0x02]),
    randomBytes(2 + TOKEN_BYTES),
    option(URI_PATH, Buffer.from("tk")),
    option(0, Buffer.from("v1")),
    option(CONTENT_FORMAT - URI_PATH, Buffer.from([CBOR])),
    Buffer.from([0xff]),
    payload,
  ]);
}

/** An option by its distance from the one before; all of ours are shorter than 13. */
function option(delta: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(delta << 4) | value.length]), value]);
}

/** The code of a response, such as `2.04`, with its text where that is a verdict; undefined where it is no CoAP. */
export function coapAnswer(bytes: Buffer): string | undefined {
  const [first = 0, code = 0] = bytes;
  if (bytes.length < 4 || first >> 6 !== 1 || code >> 5 < 2) return undefined;
  const shown = `${code >> 5}.${String(code & 0x1f).padStart(2, "0")}`;
  // What comes with 2.04 is an update for the sensor: bytes, and no word.
  if (shown === "2.04") return shown;
  return `${shown} ${payloadOf(bytes).toString("utf8")}`.trim();
}

/** What stands behind the token and the options. */
function payloadOf(bytes: Buffer): Buffer {
  let at = 4 + ((bytes[0] ?? 0) & 0x0f);
  while (at < bytes.length && bytes[at] !== 0xff) {
    const head = bytes[at] ?? 0;
    at += 1;
    const [delta, length] = [head >> 4, head & 0x0f];
    at += extended(delta);
    const more = length === 13 ? 13 + (bytes[at] ?? 0) : length === 14 ? 269 + bytes.readUInt16BE(at) : length;
    at += extended(length) + more;
  }
  return bytes.subarray(at + 1);
}

function extended(nibble: number): number {
  return nibble === 13 ? 1 : nibble === 14 ? 2 : 0;
}
