import type { Payload } from "../../../../protocol/payload.ts";
import type { Canary } from "../../search/needles.ts";

/** Bytes of the text member: nobody meets it by chance. */
const TOKEN_BYTES = 24;
/** Significant digits that a number keeps through every JSON and every float64 (IEEE 754, binary64). */
const DIGITS = 15;
/** What a sensor measures in an ordinary room: dashboards show the message, and nobody is called. */
const ROOM = { temperature_c: "21.", humidity_pct: "45.", pressure_hpa: "1013." } as const;
/** Older than any release, so that no list of firmware versions takes it for a board's. */
const FIRMWARE = "0.0.0-verification";

/** What a verification sensor measures: plausible, and found nowhere else in the world. */
export interface Marker {
  /** Name of the gateway that it is sent through. */
  readonly gateway: string;
  readonly plaintext: string;
  /** The same, as a database gives it back. */
  readonly payload: Payload;
  readonly canary: Canary;
}

/**
 * A fresh marked message for a gateway. Each of its members gives it away: numbers of 15 digits, as metrics and columns carry
 * them, and a text.
 * @param random so many random bytes
 */
export function makeMarker(gateway: string, random: (bytes: number) => Buffer): Marker {
  const numbers = Object.entries(ROOM).map(([name, head]) => [name, head + digits(DIGITS - head.length + 1, random)]);
  const token = random(TOKEN_BYTES).toString("hex");
  const members = numbers.map(([name, text]) => [name, Number(text)]);
  const payload = { fw: FIRMWARE, ...Object.fromEntries(members), verification: token } as Payload;
  return {
    gateway,
    plaintext: JSON.stringify(payload),
    payload,
    canary: {
      name: `the message through ${gateway}`,
      cores: [
        { what: "text", bytes: Buffer.from(token) },
        { what: "decoded text", bytes: Buffer.from(token, "hex") },
        ...numbers.map(([, text = ""]) => ({ what: "number", bytes: Buffer.from(text) }) as const),
      ],
      homes: [],
    },
  };
}

/** Decimal digits of which the last is none that a number loses. */
function digits(count: number, random: (bytes: number) => Buffer): string {
  const text = [...random(count)].map((byte) => byte % 10).join("");
  return text.endsWith("0") ? `${text.slice(0, -1)}7` : text;
}
