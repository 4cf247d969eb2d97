import { messageOf, TrustKernError } from "../../../../shared/errors.ts";
import { bundleFormatErrors } from "../errors.ts";

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** What to throw for what went wrong while something was written there: an error of ours stays as it is. */
export function writeFault(thrown: unknown, path: string, signal?: AbortSignal): unknown {
  if (thrown instanceof TrustKernError) return thrown;
  if (signal?.aborted === true) return bundleFormatErrors.error("BUNDLE_CANCELLED", "cancelled while writing");
  const code = codeOf(thrown);
  const details = { path, cause: thrown };
  if (FULL.has(code)) {
    return bundleFormatErrors.error("BUNDLE_DISK_FULL", `no room for "${path}": ${messageOf(thrown)}`, details);
  }
  if (code === "") return thrown;
  return bundleFormatErrors.error("BUNDLE_NOT_WRITABLE", `"${path}" cannot be written: ${messageOf(thrown)}`, details);
}

/** `ENOENT` and its like; empty for what is no fault of the system. */
function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error && "syscall" in thrown && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : "";
}
