import { checkBoundary } from "../../../model/boundary.ts";
import { absentFindings } from "../../../modules/absent.ts";
import { type CheckResult, judged } from "../result.ts";
import { checkProfileLines } from "./profile-check.ts";
import { isInside, reachabilityFindings } from "./reachability.ts";
import type { ModelSubject } from "./subject.ts";

/** The model layer: the table, its closure over the flows, the profile, and whether a component is missing. Pure. */
export function verifyModel(subject: ModelSubject): readonly CheckResult[] {
  const { deployment, model } = subject;
  const { components, flows } = model;
  const inside = components.filter(({ zone }) => isInside(zone)).length;
  const [all, sides] = [`${components.length} components`, `${inside} inside, ${components.length - inside} outside`];
  return [
    judged("model.table", `${all}, ${flows.length} flows`, checkBoundary(model)),
    judged("model.reachability", `${all}, ${sides}, ${flows.length} flows`, reachabilityFindings(model)),
    checkProfileLines(subject),
    judged("model.components", all, absentFindings(model, deployment)),
  ];
}
