import { cliErrors } from "./errors.ts";

/**
 * The value of an option that takes a whole number, or undefined where it was not given.
 * @throws CLI_USAGE naming the option, the value and the range
 */
export function wholeNumber(
  value: string | boolean | undefined,
  option: string,
  min: number,
  max: number,
): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw cliErrors.error("CLI_USAGE", `${option} takes a whole number from ${min} to ${max}, got "${String(value)}"`, {
    path: option,
    fix: `name a number from ${min} to ${max}`,
  });
}
