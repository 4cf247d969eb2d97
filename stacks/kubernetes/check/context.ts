import type { Model } from "../../../model/boundary.ts";
import type { Component } from "../../../model/component.ts";
import type { KubernetesTarget } from "../plan.ts";

/** What rendered objects are held against. */
export interface CheckContext extends KubernetesTarget {
  readonly model: Model;
}

/** A pod that there has to be. */
export interface CheckedPod {
  readonly name: string;
  readonly components: readonly [Component, ...Component[]];
  /** Whether their number follows the load, and whether there may be several. */
  readonly scaled: boolean;
  readonly several: boolean;
}

/** The pods that a model needs: whoever connects to a Unix socket is in its listener's. */
export function checkedPods({ model, deployment }: CheckContext): readonly CheckedPod[] {
  const own = model.components.filter(({ external }) => external === undefined);
  const hostOf = (name: string): string => {
    const joined = model.flows.find((flow) => flow.from === name && flow.protection === "unix" && !flow.byEngine);
    return joined === undefined ? name : hostOf(joined.to);
  };
  const { min, max } = deployment.kubernetes.collector;
  return own
    .filter(({ name }) => hostOf(name) === name)
    .map((first) => {
      const guests = own.filter(({ name }) => name !== first.name && hostOf(name) === first.name);
      const scaled = first.name === "collector" && max > min;
      return { name: first.name, components: [first, ...guests], scaled, several: scaled || first.replicas > 1 };
    });
}

/** Labels of an object of the deployment. */
export function commonLabels({ deployment: { name, tenant } }: CheckContext): Readonly<Record<string, string>> {
  return {
    "trustkern.deployment": name,
    "trustkern.tenant": tenant,
    "app.kubernetes.io/instance": name,
    "app.kubernetes.io/part-of": "trustkern",
    "app.kubernetes.io/managed-by": "trustkern",
  };
}

/** Labels of an object of a component. */
export function labelsOf(component: Component, context: CheckContext): Readonly<Record<string, string>> {
  const { name, zone } = component;
  return {
    ...commonLabels(context),
    "app.kubernetes.io/name": name,
    "trustkern.component": name,
    "trustkern.zone": zone,
  };
}

/** The labels by which a pod is found. */
export function selectorOf(pod: string, { deployment }: CheckContext): Readonly<Record<string, string>> {
  return { "trustkern.deployment": deployment.name, "trustkern.component": pod };
}
