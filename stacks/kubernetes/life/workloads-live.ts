import type { KubernetesPlan } from "../plan.ts";
import type { Pod } from "../pods.ts";
import type { LiveObject } from "./api.ts";
import { workloadIn } from "./expected-pod.ts";

/** Kinds that make pods, or what makes them. */
const CONTROLLERS: readonly string[] = [
  "StatefulSet",
  "Deployment",
  "DaemonSet",
  "ReplicaSet",
  "ReplicationController",
  "Job",
  "CronJob",
];

/** Who an object says controls it (Kubernetes API, ObjectMeta). */
interface OwnerReference {
  readonly kind: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** A workload of the plan as the cluster has it, and of a Deployment the set of replicas that a pod or it is of. */
export interface Maker {
  readonly pod: Pod;
  readonly workload: LiveObject;
  readonly replicaSet: LiveObject | undefined;
}

/** What runs in the namespace, by the kinds that make pods. */
export interface LiveWorkloads {
  /** The workload of the plan that controls an object, by its uid; undefined where none does, whatever the object says. */
  readonly makerOf: (object: LiveObject) => Maker | undefined;
  /** Whether the cluster is taking an object away: it is told to end, or who made it is gone. */
  readonly isEnding: (object: LiveObject) => boolean;
  /** The workloads of the plan that are there. */
  readonly planned: readonly LiveObject[];
  /** The sets of replicas that a Deployment of the plan controls. */
  readonly replicaSetsOf: (deployment: LiveObject) => readonly LiveObject[];
}

/** @param objects of all kinds that the namespace was looked at for */
export function liveWorkloads(objects: readonly LiveObject[], plan: Pick<KubernetesPlan, "objects" | "pods">) {
  const workloads = objects.filter(({ kind }) => CONTROLLERS.includes(kind));
  const made = plan.pods.flatMap((pod) => {
    const wanted = workloadIn(plan, pod);
    const workload = workloads.find(
      ({ kind, metadata }) => kind === wanted?.kind && metadata.name === wanted.metadata.name,
    );
    return workload === undefined ? [] : [{ pod, workload }];
  });
  const by = (object: LiveObject) => {
    const owner = controllerOf(object);
    return made.find(({ workload: { kind, metadata } }) => kind === owner?.kind && metadata.uid === owner.uid);
  };
  const makerOf: LiveWorkloads["makerOf"] = (object) => {
    const direct = by(object);
    if (object.kind === "ReplicaSet")
      return direct?.workload.kind === "Deployment" ? { ...direct, replicaSet: object } : undefined;
    if (object.kind !== "Pod") return undefined;
    // A Deployment makes no pod itself.
    if (direct !== undefined)
      return direct.workload.kind === "Deployment" ? undefined : { ...direct, replicaSet: undefined };
    const owner = controllerOf(object);
    const replicaSet = workloads.find(
      ({ kind, metadata }) => kind === "ReplicaSet" && owner?.kind === kind && metadata.uid === owner.uid,
    );
    return replicaSet === undefined ? undefined : makerOf(replicaSet);
  };
  const live: LiveWorkloads = {
    makerOf,
    isEnding: (object) => {
      const owner = controllerOf(object);
      const isGone =
        owner !== undefined &&
        CONTROLLERS.includes(owner.kind) &&
        workloads.every(({ metadata }) => metadata.uid !== owner.uid);
      return object.metadata.deletionTimestamp !== undefined || isGone;
    },
    planned: made.map(({ workload }) => workload),
    replicaSetsOf: (deployment) =>
      workloads.filter((one) => one.kind === "ReplicaSet" && makerOf(one)?.workload === deployment),
  };
  return live;
}

function controllerOf({ metadata }: LiveObject): OwnerReference | undefined {
  const { ownerReferences = [] } = metadata as { readonly ownerReferences?: readonly OwnerReference[] };
  return ownerReferences.find(({ controller }) => controller === true);
}
