import { readFileSync } from "node:fs";
import { messageOf } from "../shared/errors.ts";
import { custodyErrors } from "./errors.ts";

/** age's own default; about a second on one core and 256 MiB for as long. */
const DEFAULT_WORK_FACTOR = 18;

/** For a passphrase of 256 random bits, to which stretching adds nothing. */
const DEFAULT_WORK_FACTOR_MACHINE_MADE = 12;

/** Below that even a random passphrase would save no time worth having, above it age refuses to open. */
export const SCRYPT_WORK_FACTOR_RANGE = { min: 10, max: 20 } as const;

const MACHINE_MADE = /^(?:[0-9a-f]{64}|[A-Za-z0-9_-]{43})$/;

/**
 * The passphrase in a file of one line.
 * @throws CUSTODY_PASSPHRASE_MISSING
 */
export function readPassphrase(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    throw custodyErrors.error("CUSTODY_PASSPHRASE_MISSING", `cannot read the passphrase: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
  if (text === "") throw custodyErrors.error("CUSTODY_PASSPHRASE_MISSING", "the passphrase is empty", { path: file });
  return text;
}

/** Characters of the shortest passphrase for a key that is kept for decades: six short words. */
const LEAST_CHARACTERS = 20;
/** Below that, a passphrase is one thing again and again. */
const LEAST_DIFFERENT = 8;

/**
 * Refuses a passphrase that is short, or has few different characters. Nobody can measure chance: this finds what is surely bad.
 * @param path of its file, for the message
 * @throws CUSTODY_PASSPHRASE_WEAK
 */
export function assertStrong(passphrase: string, path: string): void {
  const different = new Set(passphrase).size;
  if (passphrase.length >= LEAST_CHARACTERS && different >= LEAST_DIFFERENT) return;
  const message = `the passphrase has ${passphrase.length} characters, ${different} of them different; accepted: ${LEAST_CHARACTERS} or more, ${LEAST_DIFFERENT} or more of them different`;
  throw custodyErrors.error("CUSTODY_PASSPHRASE_WEAK", message, { path });
}

/**
 * The work factor (base-2 logarithm of scrypt's N, RFC 7914) for a passphrase: the one asked for, or 18, or 12 for a
 * passphrase that has the form of 256 random bits (64 hexadecimal digits, or 43 characters of base64url). Only that form
 * may go below 18.
 * @throws CUSTODY_WORK_FACTOR_RANGE
 */
export function chooseWorkFactor(passphrase: string, asked: number | undefined): number {
  const machineMade = MACHINE_MADE.test(passphrase);
  if (asked === undefined) return machineMade ? DEFAULT_WORK_FACTOR_MACHINE_MADE : DEFAULT_WORK_FACTOR;
  const min = machineMade ? SCRYPT_WORK_FACTOR_RANGE.min : DEFAULT_WORK_FACTOR;
  const { max } = SCRYPT_WORK_FACTOR_RANGE;
  if (Number.isInteger(asked) && asked >= min && asked <= max) return asked;
  throw custodyErrors.error(
    "CUSTODY_WORK_FACTOR_RANGE",
    `"scryptWorkFactor" is ${asked}, accepted with this passphrase: ${min} to ${max}`,
    { path: "scryptWorkFactor" },
  );
}
