import type { Finding } from "../../../shared/finding.ts";
import { evidenceErrors } from "../errors.ts";

/** One thing in a statement that another thing in it, or this toolkit, says otherwise. */
export function contradiction(path: string, message: string): Finding {
  const { fix } = evidenceErrors.entries.EVIDENCE_INCONSISTENT;
  return { code: "EVIDENCE_INCONSISTENT", path, message, fix };
}
