const MAX_LENGTH_BYTES = 4;

/**
 * Follows the framing of an MQTT stream (3.1.1, section 2.2) and returns false from the first fixed header on that
 * declares a packet of more than `maxBytes`, or that is no header. The parser behind it would buffer what was declared.
 */
export function createPacketSizeGuard(maxBytes: number): (chunk: Uint8Array) => boolean {
  let skip = 0;
  let inLength = false;
  let length = 0;
  let lengthBytes = 0;
  let broken = false;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length && !broken) {
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - at);
        skip -= step;
        at += step;
      } else if (inLength) {
        const byte = chunk[at++] ?? 0;
        length += (byte & 0x7f) * 128 ** lengthBytes++;
        inLength = byte >= 0x80;
        broken = (inLength && lengthBytes === MAX_LENGTH_BYTES) || length + lengthBytes + 1 > maxBytes;
        if (!inLength) skip = length;
      } else {
        at += 1; // type and flags
        inLength = true;
        length = 0;
        lengthBytes = 0;
      }
    }
    return !broken;
  };
}
