/** Shorter runs say too little to be what is looked for. */
const LEAST_RUN = { base64: 16, hex: 32 } as const;

const BACKSLASH = 0x5c;
const [ZERO, NINE] = [0x30, 0x39];

const BASE64 = membersOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_");
const HEX = membersOf("0123456789abcdefABCDEF");

/**
 * What bytes are where they are read as an encoding: base64, hex, a list of decimal numbers. Whatever stands between two runs, such
 * as the end of a line, is left out, so that what was broken into lines is whole again. Most of it is nothing to anybody.
 */
export function* decodedWithin(bytes: Buffer): Iterable<Buffer> {
  const runs = runsOf(bytes, BASE64, LEAST_RUN.base64);
  // Where what was encoded begins is not known: every way that it can lie is tried.
  for (let skip = 0; skip < 4; skip += 1) yield* filled(Buffer.from(runs.toString("latin1", skip), "base64"));
  const digits = runsOf(runs, HEX, LEAST_RUN.hex);
  for (let skip = 0; skip < 2; skip += 1) yield* filled(Buffer.from(digits.toString("latin1", skip), "hex"));
  yield* filled(numbersIn(bytes));
}

function* filled(bytes: Buffer): Iterable<Buffer> {
  if (bytes.length > 0) yield bytes;
}

/** All runs of an alphabet, one behind the other; an escaped character, such as the `\n` of JSON, is between runs. */
function runsOf(bytes: Buffer, alphabet: Uint8Array, least: number): Buffer {
  const runs = Buffer.alloc(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const start = at;
    while (alphabet[bytes[at] ?? 0] === 1 && at < bytes.length) at += 1;
    if (at - start >= least) length += bytes.copy(runs, length, start, at);
    if (bytes[at] === BACKSLASH) at += 1;
  }
  return runs.subarray(0, length);
}

/** Every decimal number that is a byte, one behind the other. */
function numbersIn(bytes: Buffer): Buffer {
  const found = Buffer.alloc(Math.ceil(bytes.length / 2));
  let [length, value, digits] = [0, 0, 0];
  for (let at = 0; at <= bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte >= ZERO && byte <= NINE) {
      value = value * 10 + byte - ZERO;
      digits += 1;
      continue;
    }
    if (digits > 0 && digits <= 3 && value < 256) length = found.writeUInt8(value, length);
    [value, digits] = [0, 0];
  }
  return found.subarray(0, length);
}

function membersOf(characters: string): Uint8Array {
  const members = new Uint8Array(256);
  for (const byte of Buffer.from(characters, "latin1")) members[byte] = 1;
  return members;
}
