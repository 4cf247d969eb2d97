import type { V1Deployment, V1Job, V1PodSpec, V1PodTemplateSpec, V1StatefulSet } from "@kubernetes/client-node";
import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { ImagePins } from "../docker/images.ts";
import { shortHash } from "./config-map.ts";
import { containerOf } from "./container.ts";
import { componentLabels, selectorLabels } from "./labels.ts";
import type { Typed } from "./objects.ts";
import { isSeveral, type Pod } from "./pods.ts";
import { POD_SECURITY } from "./security.ts";
import { governingService } from "./services.ts";
import { claimsOf, mountsOf } from "./volumes.ts";

/** What the workloads of a deployment have in common. */
export interface WorkloadContext {
  readonly model: Model;
  readonly deployment: Deployment;
  readonly images: ImagePins;
}

/** Longest that a pod has to end: a collector writes the batch that it has, and sends its receipts. */
const STOP_SECONDS = 30;
/** A pod that is ready for so long has taken over, and the next one may go. */
const READY_SECONDS = 5;
/** How often a job is tried before somebody has to look; it waits longer each time, 6 min at most. */
const TRIES = 12;

/**
 * What keeps a pod running. With an update one pod at a time is away, the next not before the one before it is ready: gateways
 * keep what has no receipt, and of collectors another one takes over.
 * @throws KUBERNETES_COMPONENT, KUBERNETES_IMAGE_UNPINNED
 */
export function workloadOf(
  pod: Pod,
  context: WorkloadContext,
): Typed<V1StatefulSet> | Typed<V1Deployment> | Typed<V1Job> {
  const { deployment } = context;
  const template = templateOf(pod, context);
  const metadata = {
    name: pod.name,
    namespace: deployment.kubernetes.namespace,
    labels: componentLabels(deployment, pod.components[0]),
  };
  if (pod.kind === "Job") {
    const spec = { backoffLimit: TRIES, template };
    // A job's template never changes: another one is another job.
    const name = `${pod.name}-${shortHash(spec)}`;
    return { apiVersion: "batch/v1", kind: "Job", metadata: { ...metadata, name }, spec };
  }
  const common = {
    // Whoever scales by load sets the number, and it must not be set back.
    ...(pod.maxReplicas > pod.replicas ? {} : { replicas: pod.replicas }),
    // For whoever looks at what ran, and no way back: the ConfigMaps of earlier revisions go with the deploy that replaces them.
    revisionHistoryLimit: 3,
    minReadySeconds: READY_SECONDS,
    selector: { matchLabels: { ...selectorLabels(deployment, pod.name) } },
    template,
  };
  if (pod.kind === "Deployment") {
    const strategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
    return { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { ...common, strategy } };
  }
  const service = governingService(pod);
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata,
    spec: {
      ...common,
      ...(service === undefined ? {} : { serviceName: service }),
      podManagementPolicy: isSeveral(pod) ? "Parallel" : "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      // What was stored is never removed on the way: neither when a workload is made anew, nor when there are fewer.
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      volumeClaimTemplates: claimsOf(pod, deployment),
    },
  };
}

function templateOf(pod: Pod, { model, deployment, images }: WorkloadContext): V1PodTemplateSpec {
  const mounted = pod.components.map((component) => ({ component, mounted: mountsOf(component, pod, model) }));
  const volumes = mounted.flatMap((each) => each.mounted.volumes);
  const spec: V1PodSpec = {
    serviceAccountName: pod.name,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: pod.kind === "Job" ? "OnFailure" : "Always",
    terminationGracePeriodSeconds: STOP_SECONDS,
    securityContext: POD_SECURITY,
    ...resolverOf(pod, model),
    ...(pod.kind === "Job" ? {} : { topologySpreadConstraints: spreadOf(pod, deployment) }),
    containers: mounted.map((each) => containerOf(each.component, images, each.mounted)),
    ...(volumes.length === 0 ? {} : { volumes }),
  };
  return { metadata: { labels: { ...componentLabels(deployment, pod.components[0]) } }, spec };
}

/** Who connects to nobody asks nobody for a name: its own loopback, where nobody answers. */
function resolverOf({ components }: Pod, model: Model): Pick<V1PodSpec, "dnsPolicy" | "dnsConfig"> {
  if (components.some(({ name, network }) => network && asksForNames(name, model)))
    return { dnsPolicy: "ClusterFirst" };
  return { dnsPolicy: "None", dnsConfig: { nameservers: ["127.0.0.1"] } };
}

/** Whether a component connects over the network by the model's flows, or reaches keys that are outside of it. */
export function asksForNames(component: string, { flows }: Pick<Model, "flows">): boolean {
  const connects = flows.some(({ from, protection }) => from === component && protection !== "unix");
  return connects || component === "custody";
}

function spreadOf(pod: Pod, deployment: Deployment): NonNullable<V1PodSpec["topologySpreadConstraints"]> {
  return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    // A cluster of one node, or one with a node away, still runs them all.
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: { ...selectorLabels(deployment, pod.name) } },
  }));
}
