import { parseArgs } from "node:util";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import { runtimeErrors } from "./errors.ts";
import { errorBody } from "./http.ts";

/** The path behind `--config` of this process. @throws SERVICE_USAGE */
export function configFile(name: string): string {
  const usage = `usage: node services/${name}/main.ts --config FILE`;
  try {
    const { values } = parseArgs({ options: { config: { type: "string" } } });
    if (values.config) return values.config;
  } catch (cause) {
    throw runtimeErrors.error("SERVICE_USAGE", `${messageOf(cause)}; ${usage}`, { cause });
  }
  throw runtimeErrors.error("SERVICE_USAGE", usage);
}

/** Prints a failure as one JSON error on stderr, and gives its exit code. */
export function reportFailure(name: string, thrown: unknown): number {
  const error =
    thrown instanceof TrustKernError
      ? thrown
      : runtimeErrors.error("SERVICE_INTERNAL", `${name}: ${messageOf(thrown)}`);
  process.stderr.write(`${JSON.stringify({ error: errorBody(error) })}\n`);
  return error.exit;
}
