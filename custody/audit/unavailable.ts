import { messageOf, TrustKernError } from "../../shared/errors.ts";
import { auditErrors } from "./errors.ts";

/** What is thrown when the log cannot be written now. */
export function unavailable(why: string, cause?: unknown): TrustKernError {
  const message = `the audit log cannot be written: ${why}`;
  return auditErrors.error("CUSTODY_AUDIT_UNAVAILABLE", message, { path: "audit", cause });
}

/** An error of ours as it is, and what the file system threw as CUSTODY_AUDIT_UNAVAILABLE. */
export function asAuditError(thrown: unknown): TrustKernError {
  return thrown instanceof TrustKernError ? thrown : unavailable(messageOf(thrown), thrown);
}
