import type { Finding } from "../shared/finding.ts";
import type { DenialReason } from "./denial.ts";

/** What is wrong with a certificate, a chain or a list, with the reason for which whoever shows it is refused. */
export interface ChainFinding extends Finding {
  readonly reason: DenialReason;
}
