import type { Finding } from "../../shared/finding.ts";
import { checksOf, type Layer } from "./checks.ts";
import type { CheckResult } from "./result.ts";

/** Every check of a layer that could not be looked at, with the one reason: none of them is proven. */
export function notLookedAt(layer: Layer, why: Finding): readonly CheckResult[] {
  return checksOf(layer).map((id) => ({ id, outcome: "not-proven", seen: why.message, findings: [why] }));
}
