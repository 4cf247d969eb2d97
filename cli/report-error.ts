import { findingsOf } from "../model/findings.ts";
import { type ExitCode, messageOf, TrustKernError } from "../shared/errors.ts";
import { cliErrors } from "./errors.ts";
import type { Io } from "./io.ts";
import type { Paint } from "./paint.ts";

/** Prints an error, in words on stderr or as JSON on one line of stdout, and gives the exit code that it belongs to. */
export function reportError(thrown: unknown, io: Io, json: boolean, paint: Paint): ExitCode {
  const error = thrown instanceof TrustKernError ? thrown : bugOf(thrown);
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

function bugOf(thrown: unknown): TrustKernError {
  return cliErrors.error("INTERNAL_BUG", messageOf(thrown), { cause: thrown });
}
