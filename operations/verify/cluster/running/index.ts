import type { Model } from "../../../../model/boundary.ts";
import type { Deployment } from "../../../../model/deployment.ts";
import type { ImagePins } from "../../../../stacks/docker/images.ts";
import { isWell } from "../../../../stacks/docker/life/health.ts";
import { clusterDifferences } from "../../../../stacks/kubernetes/life/differences.ts";
import type { KubernetesPlan } from "../../../../stacks/kubernetes/plan.ts";
import type { CheckResult } from "../../result.ts";
import { judgeCustody, judgeEncryption } from "../../running/judge/keys.ts";
import { judgeAccepted, judgeRefusals, judgeVersions } from "../../running/judge/tls.ts";
import { askCustody, constraintsOf, KEPT } from "../../running/observe/facts.ts";
import { count, resultOf } from "../../running/result.ts";
import { askPrometheus, targetsOf } from "../ask-prometheus.ts";
import { ownModel } from "../own-model.ts";
import type { ClusterSubject } from "../subject.ts";
import { clusterBreach, inCluster } from "./judge/fixes.ts";
import { judgeClusterEgress, judgeClusterFlows, judgeClusterListeners, judgeClusterRefused } from "./judge/network.ts";
import { judgePods } from "./judge/pods.ts";
import { lookIntoPods, tryAll } from "./look-inside.ts";
import type { ClusterObservation } from "./observation.ts";
import { seePods } from "./pods.ts";
import { shakeHands } from "./shake-hands.ts";

/**
 * Looks at a deployment that a cluster runs: from inside of each of its pods that has a program for it, from this machine through the
 * API server, and at what the API server says. One result for each check of the layer.
 * @throws CLUSTER_UNREACHABLE, CLUSTER_DENIED
 */
export async function verifyRunningCluster(subject: ClusterSubject): Promise<readonly CheckResult[]> {
  const { deployment, images } = subject.cluster.options;
  const { model, plan } = subject.cluster;
  return judgeRunningCluster(await gatherCluster(subject), { deployment, images, model, plan });
}

async function gatherCluster(subject: ClusterSubject): Promise<ClusterObservation> {
  const { cluster, forwards } = subject;
  const { onProgress } = cluster.options;
  const differences = await clusterDifferences(cluster);
  const { pods, components } = await seePods(cluster.api, cluster.plan);
  const custody = await askCustody(forwards.socket("custody", "control"));
  onProgress("looking into each pod");
  const inside = await lookIntoPods(subject, pods);
  onProgress("probing every port from inside each pod");
  const tried = await tryAll(subject, pods, inside);
  onProgress("trying handshakes at every port with TLS");
  const shaken = await shakeHands(subject, pods);
  const targets = await targetsOf(askPrometheus(subject), cluster.options);
  const constraints = constraintsOf(cluster.layout.authoritiesDir);
  return { components, pods, differences, inside, ...tried, ...shaken, targets, constraints, custody };
}

/** What a running deployment is held against. */
export interface RunningGround {
  readonly deployment: Deployment;
  readonly images: ImagePins;
  readonly model: Model;
  readonly plan: KubernetesPlan;
}

/** What was seen, held against what was rendered, in the order of the checks. Pure. */
export function judgeRunningCluster(seen: ClusterObservation, ground: RunningGround): readonly CheckResult[] {
  const { deployment, images, model, plan } = ground;
  const own = ownModel(model);
  // Handshakes are made from this machine: there is no pod from which they could not be.
  const tls = { ...seen, inside: new Map() };
  return [
    judgeClusterComponents(seen),
    judgeClusterFlows(seen, model),
    judgeClusterRefused(seen),
    judgeClusterListeners(seen),
    inCluster(judgeAccepted(tls, own)),
    inCluster(judgeRefusals(tls, own, deployment)),
    inCluster(judgeVersions(tls, { containers: [] }, own)),
    ...judgePods(seen, plan, images),
    judgeClusterEgress(seen, deployment),
    inCluster(judgeEncryption({ volumes: claimsOf(seen, own) }, deployment)),
    inCluster(judgeCustody(seen, deployment)),
  ];
}

/** Every component runs and is well, and nobody else is in the namespace or in a pod. */
function judgeClusterComponents({ components, differences }: ClusterObservation): CheckResult {
  const unwell = [...components]
    .filter(([, { condition }]) => !isWell(condition))
    .map(([name, { condition }]) => clusterBreach("RUNNING_UNWELL", `components.${name}`, `it is ${condition}`));
  const strangers = differences
    .filter(({ code }) => code === "OBJECT_STRANGER")
    .map(({ path, message }) => clusterBreach("RUNNING_STRANGER", path, message));
  return resultOf("running.components", {
    looked: `${count(components.size, "component")}, and what else is in the namespace`,
    findings: [...unwell, ...strangers],
  });
}

/** Volumes with plaintext or keys: the disks below them are the platform's, and the API says nothing of their encryption. */
function claimsOf({ pods }: Pick<ClusterObservation, "pods">, { components }: Model) {
  const keeping = components.filter(({ zone, holds }) => zone === "edge" || KEPT.some((kept) => holds.includes(kept)));
  return keeping.flatMap(({ name, volumes }) => {
    const own = pods.filter(({ pod }) => pod.components.some((component) => component.name === name));
    return own.flatMap((pod) =>
      volumes.map((volume) => ({
        component: name,
        path: `volume ${volume.name} of ${pod.name}`,
        encryption: "unknown" as const,
      })),
    );
  });
}
