import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { LABEL } from "../docker/labels.ts";

/** Labels by name. */
export type Labels = Readonly<Record<string, string>>;

/** The label with the component's name, by which its pods are found. */
const COMPONENT_LABEL = `${LABEL}.component`;

/** The label that Kubernetes itself gives every namespace, with its name. */
export const NAMESPACE_LABEL = "kubernetes.io/metadata.name";

/** Labels of everything that belongs to a deployment, of whichever component. */
export function deploymentLabels({ name, tenant }: Pick<Deployment, "name" | "tenant">): Labels {
  return {
    [`${LABEL}.deployment`]: name,
    [`${LABEL}.tenant`]: tenant,
    "app.kubernetes.io/instance": name,
    "app.kubernetes.io/part-of": "trustkern",
    "app.kubernetes.io/managed-by": "trustkern",
  };
}

/** Labels of what is one component's: its pod, its service, its configuration. */
export function componentLabels(deployment: Deployment, { name, zone }: Pick<Component, "name" | "zone">): Labels {
  return {
    ...deploymentLabels(deployment),
    "app.kubernetes.io/name": name,
    [COMPONENT_LABEL]: name,
    [`${LABEL}.zone`]: zone,
  };
}

/** The labels by which services and policies find the pods of a component. Never change by accident: a selector is state. */
export function selectorLabels({ name }: Pick<Deployment, "name">, pod: string): Labels {
  return { [`${LABEL}.deployment`]: name, [COMPONENT_LABEL]: pod };
}
