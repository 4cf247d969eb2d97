import type { V1Deployment, V1StatefulSet } from "@kubernetes/client-node";
import type { LiveObject } from "./api.ts";
import type { LiveWorkloads, Maker } from "./workloads-live.ts";

/** Annotation of a Deployment and its sets of replicas: the number of its version. */
const REVISION = "deployment.kubernetes.io/revision";

/** Of which version of its workload a pod is: `previous` and `older` only while an update is under way. */
export type Revision = "current" | "previous" | "older";

/** Whether the controller of a workload has looked at its newest version: what it says of itself is of the one before until then. */
export function isObserved({ kind, metadata, status }: LiveObject): boolean {
  // A job's template never changes, and its controller does not say.
  if (kind === "Job") return true;
  const { observedGeneration = 0 } = (status ?? {}) as { readonly observedGeneration?: number };
  return observedGeneration >= (metadata.generation ?? 0);
}

/** Which version a pod is of, by the word of its workload's controller. */
export function revisionOf(live: LiveObject, maker: Maker, workloads: LiveWorkloads): Revision {
  const { workload, replicaSet } = maker;
  if (replicaSet !== undefined) return ofDeployment(workload, replicaSet, workloads);
  if (workload.kind !== "StatefulSet") return "current";
  const { currentRevision, updateRevision } = (workload as unknown as V1StatefulSet).status ?? {};
  const revision = live.metadata.labels?.["controller-revision-hash"];
  if (currentRevision === updateRevision || revision === updateRevision) return "current";
  return revision === currentRevision ? "previous" : "older";
}

function ofDeployment(workload: LiveObject, replicaSet: LiveObject, workloads: LiveWorkloads): Revision {
  const { spec, status } = workload as unknown as V1Deployment;
  const updated = status?.updatedReplicas ?? 0;
  const isUnderWay = updated < (spec?.replicas ?? 1) || (status?.replicas ?? 0) > updated;
  const newest = numberOf(workload);
  const number = numberOf(replicaSet);
  if (!isUnderWay || number >= newest) return "current";
  const before = workloads
    .replicaSetsOf(workload)
    .map(numberOf)
    .filter((each) => each < newest);
  return number === Math.max(...before) ? "previous" : "older";
}

function numberOf({ metadata }: LiveObject): number {
  return Number(metadata.annotations?.[REVISION] ?? 0);
}
