import { LAYERS } from "../verify/checks.ts";
import { type Verification, verdictOf } from "../verify/result.ts";
import type { Predicate } from "./schema/statement.ts";

/** The verdict of a verification as evidence has it: one that left a layer out proves nothing, whatever it found. */
export function evidenceVerdict({ results, layers }: Pick<Verification, "results" | "layers">): Predicate["verdict"] {
  const verdict = verdictOf(results);
  const whole = LAYERS.every((layer) => layers.includes(layer));
  return verdict === "proven" && !whole ? "not-proven" : verdict;
}
