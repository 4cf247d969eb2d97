import { cliErrors } from "./errors.ts";

/**
 * The value of an option that a command cannot do without.
 * @param why - what makes it needed, where it is not needed always
 * @throws CLI_USAGE
 */
export function needed(value: string | boolean | undefined, flag: string, why?: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw cliErrors.error("CLI_USAGE", `${flag} is missing${why === undefined ? "" : `: ${why}`}`, { path: flag });
}
