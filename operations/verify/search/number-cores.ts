import type { Core } from "./needles.ts";

/** Significant digits that every JSON and every float64 keeps (IEEE 754, binary64). */
export const DIGITS = 15;

/** Significant digits from which on the mantissa says enough by itself; a shorter one is looked for with its exponent. */
const TELLING_DIGITS = 10;

/** How programs write an exponent: JavaScript, C, Go, Python and PostgreSQL among them. */
const EXPONENT_MARKS = ["e+", "E+", "e", "E"] as const;

const FLOAT64_BYTES = 8;

/**
 * What gives a number away: its digits, the same rounded, as a decimal and with an exponent, and the eight bytes of a float64.
 * @param text 15 significant digits, with a point
 * @param leastDigits significant digits of the coarsest rounding that nobody meets by chance, 6 to 10. Below 10 they are looked for
 * with an exponent alone, which wants a number of as many digits before its point as nobody counts to
 */
export function numberCores(text: string, leastDigits: number): readonly Core[] {
  const value = Number(text);
  const exact = [...Array(DIGITS - TELLING_DIGITS + 1)].map((_, more) => TELLING_DIGITS + more);
  const coarse = [...Array(Math.max(0, TELLING_DIGITS - leastDigits))].map((_, more) => leastDigits + more);
  const whole = Math.max(text.indexOf("."), TELLING_DIGITS + 1);
  const rounded = new Set([
    ...exact
      .map((digits) => value.toPrecision(digits))
      .filter((each) => !each.includes("e"))
      .map((each) => each.slice(0, whole)),
    ...exact.map((digits) => value.toExponential(digits - 1).slice(0, TELLING_DIGITS + 1)),
    ...coarse.flatMap((digits) => EXPONENT_MARKS.map((mark) => value.toExponential(digits - 1).replace("e+", mark))),
  ]);
  const [little, big] = [Buffer.alloc(FLOAT64_BYTES), Buffer.alloc(FLOAT64_BYTES)];
  little.writeDoubleLE(value);
  big.writeDoubleBE(value);
  return [
    { what: "number", bytes: Buffer.from(text) },
    ...[...rounded].map((each) => ({ what: "rounded number", bytes: Buffer.from(each) }) as const),
    { what: "float64", bytes: little },
    { what: "float64", bytes: big },
  ];
}
