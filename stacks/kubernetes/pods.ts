import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { kubernetesStackErrors } from "./errors.ts";

/** What keeps the pods of a workload running. */
export type WorkloadKind = "StatefulSet" | "Deployment" | "Job";

/** Components that run in one pod, and how often. */
export interface Pod {
  /** Name of its first component, of the workload, and in the selector of its services and policies. */
  readonly name: string;
  /** In the order of the model. */
  readonly components: readonly [Component, ...Component[]];
  readonly kind: WorkloadKind;
  /** At least. */
  readonly replicas: number;
  /** At most: more than `replicas` where the number follows the load. */
  readonly maxReplicas: number;
}

/** Longest name of a StatefulSet: a label of its pods has the name, a hyphen and a hash of 10. */
const MAX_NAME = 52;

/**
 * The pods of a model: a component each, or those that a Unix socket joins. What runs elsewhere has none.
 * @throws KUBERNETES_POD, KUBERNETES_NAME_LONG
 */
export function planPods({ components, flows }: Model, { kubernetes }: Deployment): readonly Pod[] {
  const own = components.filter(({ external }) => external === undefined);
  const podOf = new Map(own.map(({ name }) => [name, name]));
  for (const { from, to, protection, byEngine } of flows) {
    if (protection !== "unix" || byEngine === true) continue;
    const [one, other] = [podOf.get(from), podOf.get(to)];
    for (const [name, pod] of podOf) if (pod === other && one !== undefined) podOf.set(name, one);
  }
  const groups = Map.groupBy(own, ({ name }) => podOf.get(name));
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const members: Pod["components"] = [first, ...others];
    assertOnePod(members);
    const { replicas, name } = first;
    const scales = name === "collector" ? kubernetes.collector.max : replicas;
    return [{ name, components: members, kind: kindOf(members), replicas, maxReplicas: Math.max(replicas, scales) }];
  });
}

/** The pod that a component runs in. */
export function podNamed(pods: readonly Pod[], component: string): Pod | undefined {
  return pods.find(({ components }) => components.some(({ name }) => name === component));
}

/** Whether there may be several of a pod at once. */
export function isSeveral({ maxReplicas }: Pod): boolean {
  return maxReplicas > 1;
}

function assertOnePod([first, ...others]: Pod["components"]): void {
  const path = `components.${first.name}`;
  if (first.name.length > MAX_NAME) {
    const message = `"${first.name}" has ${first.name.length} characters; accepted: at most ${MAX_NAME}`;
    throw kubernetesStackErrors.error("KUBERNETES_NAME_LONG", message, { path });
  }
  const apart = others.find(
    ({ zone, replicas, health }) =>
      zone !== first.zone || replicas !== first.replicas || health.kind === "exit" || first.health.kind === "exit",
  );
  if (apart === undefined) return;
  const of = ({ name, zone, replicas }: Component) => `"${name}" (zone ${zone}, ${replicas} replicas)`;
  throw kubernetesStackErrors.error("KUBERNETES_POD", `${of(first)} and ${of(apart)} cannot be one pod`, { path });
}

function kindOf(components: readonly Component[]): WorkloadKind {
  if (components.some(({ health }) => health.kind === "exit")) return "Job";
  return components.some(({ volumes }) => volumes.length > 0) ? "StatefulSet" : "Deployment";
}
