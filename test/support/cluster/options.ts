import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../../../shared/errors.ts";
import { clusterErrors } from "./errors.ts";

/** What `scripts/cluster` is asked to do. */
export interface Options {
  readonly command: "up" | "down";
  /** State folder, absolute. */
  readonly state: string;
}

/**
 * Reads the arguments of `scripts/cluster`.
 * @param usual - the state folder when none is named
 * @throws CLUSTER_USAGE
 */
export function parseOptions(args: readonly string[], cwd: string, usual: string): Options {
  const { values, positionals } = parsed(args);
  const [command, ...more] = positionals;
  if (command !== "up" && command !== "down")
    throw usage(command === undefined ? "no command; accepted: up, down" : `"${command}"; accepted: up, down`);
  if (more.length > 0) throw usage(`"${more.join(" ")}" after ${command}; accepted: --state DIR`);
  if (values.state === "") throw usage(`--state ""; accepted: a folder`);
  return { command, state: resolve(cwd, values.state ?? usual) };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { state: { type: "string" } }, allowPositionals: true });
  } catch (thrown) {
    throw usage(messageOf(thrown));
  }
}

function usage(message: string) {
  return clusterErrors.error("CLUSTER_USAGE", message);
}
