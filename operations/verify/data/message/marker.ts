import type { Payload } from "../../../../protocol/payload.ts";
import type { Canary } from "../../search/needles.ts";
import { DIGITS, numberCores } from "../../search/number-cores.ts";

/** Bytes of the text member: nobody meets it by chance. */
const TOKEN_BYTES = 24;
/** What a sensor measures in an ordinary room: dashboards show the message, and nobody is called. */
const ROOM = { temperature_c: "21.", humidity_pct: "45.", pressure_hpa: "1013." } as const;
/** Of what is measured in a room the first digits are everybody's: so many are needed for no one else to have them. */
const ROOM_DIGITS = 10;
/** Digits before the point of a number that is nobody's: it stays so however it is rounded, down to six digits. */
const [OWN_WHOLE, OWN_DIGITS] = [12, 6];
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
 * them, one of these large enough to be known when it is rounded, and a text.
 * @param random so many random bytes
 */
export function makeMarker(gateway: string, random: (bytes: number) => Buffer): Marker {
  const numbers = Object.entries(ROOM).map(([name, head]) => [name, head + digits(DIGITS - head.length + 1, random)]);
  const own = `7${digits(OWN_WHOLE - 1, random)}.${digits(DIGITS - OWN_WHOLE, random)}`;
  const token = random(TOKEN_BYTES).toString("hex");
  const members = numbers.map(([name, text]) => [name, Number(text)]);
  const given = { verification: token, verification_number: Number(own) };
  const payload = { fw: FIRMWARE, ...Object.fromEntries(members), ...given } as Payload;
  return {
    gateway,
    plaintext: JSON.stringify(payload),
    payload,
    canary: {
      name: `the message through ${gateway}`,
      cores: [
        { what: "text", bytes: Buffer.from(token) },
        { what: "decoded text", bytes: Buffer.from(token, "hex") },
        ...numbers.flatMap(([, text = ""]) => numberCores(text, ROOM_DIGITS)),
        ...numberCores(own, OWN_DIGITS),
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
