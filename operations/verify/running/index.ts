import { startPlace } from "../../../stacks/docker/life/start.ts";
import type { CheckResult } from "../result.ts";
import { judgeComponents } from "./judge/components.ts";
import { judgeEnvironment, judgeImages, judgeMounts, judgeRights } from "./judge/container.ts";
import { judgeEgress } from "./judge/egress.ts";
import { judgeCustody, judgeEncryption } from "./judge/keys.ts";
import { judgeFlows, judgeListeners, judgeRefused } from "./judge/network.ts";
import { judgeAccepted, judgeRefusals, judgeVersions } from "./judge/tls.ts";
import type { Observation } from "./observation.ts";
import { gather } from "./observe/gather.ts";
import type { RunningSubject } from "./subject.ts";

/**
 * Looks at a deployment that runs, from inside of each of its containers and from the host: one result for each check of the layer.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function verifyRunning(subject: RunningSubject): Promise<readonly CheckResult[]> {
  return judgeRunning(await gather(subject), subject);
}

/** What was seen, held against what was rendered, in the order of the checks. Pure. */
export function judgeRunning(
  seen: Observation,
  { rendered, deployment }: Pick<RunningSubject, "rendered" | "deployment">,
): readonly CheckResult[] {
  const { model, plan } = rendered;
  return [
    judgeComponents(seen, plan, startPlace({ deployment }, rendered)),
    judgeFlows(seen, model),
    judgeRefused(seen, model),
    judgeListeners(seen, model, plan),
    judgeAccepted(seen, model),
    judgeRefusals(seen, model, deployment),
    judgeVersions(seen, plan, model),
    judgeMounts(seen, plan),
    judgeEnvironment(seen, plan),
    judgeRights(seen, plan),
    judgeImages(seen, plan),
    judgeEgress(seen, deployment, plan),
    judgeEncryption(seen, deployment),
    judgeCustody(seen, deployment),
  ];
}
