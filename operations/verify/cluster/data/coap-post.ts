import { randomBytes } from "node:crypto";
import { generate, parse } from "coap-packet";

/** What a sensor's message is (RFC 7252, section 12.3): CBOR. */
const CBOR = 60;
const TOKEN_BYTES = 4;

/**
 * A confirmable POST to `/tk/v1` (RFC 7252, section 3), as a sensor sends an envelope (docs/spec/envelope.md).
 * @param payload at most what fits into one datagram
 */
export function coapPost(payload: Uint8Array): Buffer {
  return generate({
    code: "POST",
    confirmable: true,
    messageId: randomBytes(2).readUInt16BE(),
    token: randomBytes(TOKEN_BYTES),
    options: [
      { name: "Uri-Path", value: Buffer.from("tk") },
      { name: "Uri-Path", value: Buffer.from("v1") },
      { name: "Content-Format", value: Buffer.from([CBOR]) },
    ],
    payload: Buffer.from(payload),
  });
}

/** The code of a response, such as `2.04`, with its text where that is a verdict; undefined where it is no CoAP, or no response. */
export function coapAnswer(bytes: Buffer): string | undefined {
  try {
    const { code, payload } = parse(bytes);
    if (!/^[245]\./.test(code)) return undefined;
    // What comes with 2.04 is an update for the sensor: bytes, and no word.
    return code === "2.04" ? code : `${code} ${payload.toString("utf8")}`.trim();
  } catch {
    return undefined;
  }
}
