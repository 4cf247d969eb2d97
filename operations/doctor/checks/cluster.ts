import type { Preflight } from "../../../stacks/kubernetes/life/preflight.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";

const say = findingsOf("cluster");

/** What a look at the cluster found; a look that did not get there is a finding already. */
export function judgeCluster({ version, enforcer }: Preflight, namespace: string): readonly DoctorFinding[] {
  const there = say.ok(`answers as Kubernetes ${version}, and has room and rights for the namespace "${namespace}"`);
  if (enforcer !== undefined) return [there, say.ok(`${enforcer} enforces network policies`)];
  return [there, say.bad("warning", "DOCTOR_POLICIES_UNENFORCED", "no network plugin that enforces policies was seen")];
}
