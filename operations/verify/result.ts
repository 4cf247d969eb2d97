import type { Finding } from "../../shared/finding.ts";
import { type CheckId, LAYERS, type Layer } from "./checks.ts";

/**
 * What became of a check: it held; it did not; it could not be looked at, which is never a success; or the deployment's profile
 * does not ask for it.
 */
export type Outcome = "proven" | "broken" | "not-proven" | "not-required";

/** One check on one deployment. */
export interface CheckResult {
  readonly id: CheckId;
  readonly outcome: Outcome;
  /** What was looked at and seen, with counts, or why it is not proven. One line, without a secret. */
  readonly seen: string;
  /** Every breach, with its fix; empty where the check is proven. */
  readonly findings: readonly Finding[];
  /**
   * Whether `not-proven` is what the profile lets be reported and goes on with.
   * @default false
   */
  readonly reportOnly?: boolean;
}

/** All of it. */
export interface Verification {
  readonly schema: "trustkern.verify-boundary/1";
  readonly deployment: string;
  readonly tenant: string;
  readonly profile: string;
  readonly engine: string;
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  /** RFC 3339, UTC. */
  readonly endedAt: string;
  /** The layers that were looked at. */
  readonly layers: readonly Layer[];
  readonly results: readonly CheckResult[];
}

/**
 * A check that was looked at: `broken` where there is a finding, else `proven`.
 * @param seen what was looked at, with counts
 */
export function judged(id: CheckId, seen: string, findings: readonly Finding[]): CheckResult {
  return { id, outcome: findings.length > 0 ? "broken" : "proven", seen, findings };
}

/**
 * `broken` where one check is, else `not-proven` where one is and may not be, or where a layer was left out: that proves nothing of
 * the boundary, whatever it found. Else `proven`.
 */
export function verdictOf({
  results,
  layers,
}: Pick<Verification, "results" | "layers">): Exclude<Outcome, "not-required"> {
  if (results.some(({ outcome }) => outcome === "broken")) return "broken";
  const open = results.some(({ outcome, reportOnly }) => outcome === "not-proven" && reportOnly !== true);
  const whole = LAYERS.every((layer) => layers.includes(layer));
  return open || !whole || results.length === 0 ? "not-proven" : "proven";
}
