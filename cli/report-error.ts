import { findingsOf } from "../model/findings.ts";
import { RemoteError } from "../shared/control-client.ts";
import { type ExitCode, messageOf, TrustKernError } from "../shared/errors.ts";
import { cliErrors } from "./errors.ts";
import type { Io } from "./io.ts";
import type { Paint } from "./paint.ts";

/**
 * Prints an error, in words on stderr or as JSON on one line of stdout, and gives the exit code that it belongs to. One that a service
 * answered with has the exit code and the fix that `trustkern explain` gives for its code.
 */
export async function reportError(thrown: unknown, io: Io, json: boolean, paint: Paint): Promise<ExitCode> {
  const error = thrown instanceof TrustKernError ? await catalogued(thrown) : bugOf(thrown);
  const { code, message, path, fix } = error;
  const docs = `trustkern explain ${code}`;
  if (json) {
    const findings = findingsOf(error);
    const document = { code, message, path: path ?? null, fix, docs, ...(findings.length > 0 ? { findings } : {}) };
    io.stdout(`${JSON.stringify({ error: document })}\n`);
    return error.exit;
  }
  const where = path && !message.includes(path) ? ` (${path})` : "";
  io.stderr(`${paint("red", "error")} ${paint("bold", code)}${where}: ${message}\n`);
  io.stderr(`  fix: ${fix}\n  more: ${docs}\n`);
  if (code === "INTERNAL_BUG" && thrown instanceof Error && thrown.stack) io.stderr(`${thrown.stack}\n`);
  return error.exit;
}

/** A service's error with this program's word on its code; one that no catalogue has stays as the service said it. */
async function catalogued(error: TrustKernError): Promise<TrustKernError> {
  if (!(error instanceof RemoteError)) return error;
  // Every catalogue of the project, for an error alone.
  const { allErrors } = await import("./catalogues.ts");
  const entry = allErrors().get(error.code);
  return entry === undefined ? error : new TrustKernError(error.code, entry, error.message, { path: error.path });
}

function bugOf(thrown: unknown): TrustKernError {
  return cliErrors.error("INTERNAL_BUG", messageOf(thrown), { cause: thrown });
}
