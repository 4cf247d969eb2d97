import { cliErrors } from "./errors.ts";

/**
 * The value of an option that a command cannot do without.
 * @throws CLI_USAGE
 */
export function needed(value: string | boolean | undefined, flag: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw cliErrors.error("CLI_USAGE", `${flag} is missing`, { path: flag });
}
