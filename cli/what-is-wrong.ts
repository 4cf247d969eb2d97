import type { CheckResult } from "../operations/verify/result.ts";

/** What a check saw; of one that is broken, its first breach, and how many there are more. One line. */
export function whatIsWrong({
  outcome,
  seen,
  findings,
}: Pick<CheckResult, "outcome" | "seen"> & {
  readonly findings: readonly Pick<CheckResult["findings"][number], "path" | "message">[];
}): string {
  const [first, ...more] = findings;
  if (outcome !== "broken" || first === undefined) return seen;
  return `${first.path}: ${first.message}${more.length === 0 ? "" : `, and ${more.length} more`}; ${seen}`;
}
