/** A value that may be in its files and nowhere else. */
export interface Canary {
  /** What is said about it where it is found. Never the value. */
  readonly name: string;
  /** The bytes that give it away, each on its own: a password, the private number of a key, a line of PEM. */
  readonly cores: readonly Core[];
  /** Files that it belongs in, by their paths in the folder of `trustkern.yaml`. */
  readonly homes: readonly string[];
  /** Files of others that it is handed to on purpose. @default none */
  readonly givenTo?: readonly string[];
}

/** One of the byte strings that give a canary away. */
export interface Core {
  readonly what: "text" | "decoded text" | "number" | "rounded number" | "float64" | "key" | "PEM line";
  readonly bytes: Buffer;
}

/** What is looked for: one core in one encoding. */
export interface Needle {
  readonly canary: Canary;
  /** Such as `key in base64`. */
  readonly form: string;
  readonly bytes: Buffer;
}

/** Shorter ones would be found by chance. Digits and floats are of values that were chosen so that they are not. */
const SHORTEST_CORE = 16;
const SHORTEST: Readonly<Partial<Record<Core["what"], number>>> = { float64: 8, "rounded number": 9 };

/** What stands before or between the bytes of a hex dump, an escaped text, or an array in a program. */
const HEX_SEPARATORS = [":", " ", "-", "%", "\\x", "\\\\x", "\\u00", "\\\\u00", ",0x", ", 0x"] as const;

/** Everything to look for, each byte string once. */
export function needlesOf(canaries: readonly Canary[]): readonly Needle[] {
  const needles = new Map<string, Needle>();
  for (const canary of canaries) {
    for (const { what, bytes } of canary.cores) {
      if (bytes.length < (SHORTEST[what] ?? SHORTEST_CORE))
        throw new Error(`${canary.name}: ${what} of ${bytes.length} bytes is too short`);
      for (const [encoding, texts] of Object.entries(encodingsOf(bytes))) {
        for (const text of texts) {
          const form = encoding === "raw" ? what : `${what} in ${encoding}`;
          if (!needles.has(text)) needles.set(text, { canary, form, bytes: Buffer.from(text, "latin1") });
        }
      }
    }
  }
  return [...needles.values()];
}

function encodingsOf(bytes: Buffer): Readonly<Record<string, readonly string[]>> {
  const hex = bytes.toString("hex");
  const hexes = [hex, hex.toUpperCase()];
  return {
    raw: [bytes.toString("latin1")],
    base64: base64Within(bytes, "base64"),
    base64url: base64Within(bytes, "base64url"),
    hex: hexes,
    "hex with separators": HEX_SEPARATORS.flatMap((between) =>
      hexes.map((each) => (each.match(/../g) ?? []).join(between)),
    ),
    // Without its last zero, it is the same in either order of bytes. Of what is no text it would be runs of zeros, as memory is.
    "UTF-16": bytes.includes(0)
      ? []
      : [Buffer.from(bytes.toString("latin1"), "utf16le").toString("latin1").slice(0, -1)],
    // JSON.stringify of a Buffer.
    "a list of numbers": [[...bytes].join(",")],
  };
}

/** What is left of the bytes in the base64 of something longer, at each of the three ways that they may lie in it. */
function base64Within(bytes: Buffer, alphabet: "base64" | "base64url"): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(alphabet);
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
}
