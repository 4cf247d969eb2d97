import type { CheckResult } from "../../verify/result.ts";
import { CLOUD_SOVEREIGNTY } from "./cloud-sovereignty.ts";
import type { Control, Framework } from "./control.ts";
import { CYBER_RESILIENCE_ACT } from "./cyber-resilience-act.ts";
import { IEC_62443_3_3 } from "./iec-62443-3-3.ts";
import { IEC_62443_4_2 } from "./iec-62443-4-2.ts";
import { NIST_CSF_2_0 } from "./nist-csf-2-0.ts";
import { SOC_2 } from "./soc-2.ts";

/** Every framework that the checks are mapped to. */
export const FRAMEWORKS: readonly Framework[] = [
  IEC_62443_3_3,
  IEC_62443_4_2,
  NIST_CSF_2_0,
  SOC_2,
  CYBER_RESILIENCE_ACT,
  CLOUD_SOVEREIGNTY,
];

/** What is said above every mapping. */
export const INDICATIVE =
  "An indicative mapping, made by the authors of the toolkit and by nobody who certifies. It claims no level, no conformity and no certification: for each control it names the checks of this report that would fail if what they look at were taken away. A control asks for more than that.";

/** What became of a control's checks: the worst of them. */
export type ControlState = "held" | "broken" | "not-proven" | "not-shown";

/**
 * The state of a control by the results: `held` where every check of it is proven. One that rests on a check that was not asked for is
 * `not-shown`: nobody looked.
 */
export function stateOf(
  { checks }: Pick<Control, "checks">,
  results: readonly Pick<CheckResult, "id" | "outcome">[],
): ControlState {
  const outcomes = checks.map((check) => results.find(({ id }) => id === check)?.outcome ?? "not-proven");
  if (outcomes.includes("broken")) return "broken";
  if (outcomes.includes("not-proven")) return "not-proven";
  return outcomes.includes("not-required") ? "not-shown" : "held";
}
