import type { Finding } from "../../../shared/finding.ts";
import type { CheckId } from "../checks.ts";
import type { CheckResult } from "../result.ts";
import { runningErrors } from "./errors.ts";

/** What a judgement came to. */
export interface Judged {
  /** What was looked at, with counts. */
  readonly looked: string;
  readonly findings: readonly Finding[];
  /** What could not be looked at, and why, one sentence each. */
  readonly open?: readonly string[];
}

/** How many reasons are told; the others are counted. */
const TOLD = 4;

/** The result of a check: broken where anything is wrong, else not proven where anything was not seen. */
export function resultOf(id: CheckId, { looked, findings, open = [] }: Judged): CheckResult {
  const reasons = [...new Set(open)];
  const more = reasons.length > TOLD ? ` and ${reasons.length - TOLD} more` : "";
  const unseen = reasons.length === 0 ? "" : `; not proven: ${reasons.slice(0, TOLD).join(", ")}${more}`;
  const outcome = findings.length > 0 ? "broken" : reasons.length > 0 ? "not-proven" : "proven";
  return { id, outcome, seen: `${looked}${unseen}`, findings };
}

/** One thing that is wrong, with its catalogue line's fix. */
export function breach(code: keyof typeof runningErrors.entries, path: string, message: string): Finding {
  return { code, path, message, fix: runningErrors.entries[code].fix };
}

/** `1 port`, `2 ports`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
