import { readFileSync } from "node:fs";
import { messageOf } from "../shared/errors.ts";
import { custodyErrors } from "./errors.ts";

/** age's own default; about a second on one core and 256 MiB for as long. */
export const DEFAULT_SCRYPT_WORK_FACTOR = 18;

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

/**
 * Refuses a work factor (base-2 logarithm of scrypt's N, RFC 7914) that is out of range, and one below the default unless
 * the passphrase has the form of 256 random bits (64 hexadecimal digits, or 43 of base64url): stretching adds nothing there.
 * @throws CUSTODY_WORK_FACTOR_RANGE
 */
export function checkWorkFactor(passphrase: string, workFactor: number): void {
  const min = MACHINE_MADE.test(passphrase) ? SCRYPT_WORK_FACTOR_RANGE.min : DEFAULT_SCRYPT_WORK_FACTOR;
  const { max } = SCRYPT_WORK_FACTOR_RANGE;
  if (Number.isInteger(workFactor) && workFactor >= min && workFactor <= max) return;
  throw custodyErrors.error(
    "CUSTODY_WORK_FACTOR_RANGE",
    `"scryptWorkFactor" is ${workFactor}, accepted with this passphrase: ${min} to ${max}`,
    { path: "scryptWorkFactor" },
  );
}
