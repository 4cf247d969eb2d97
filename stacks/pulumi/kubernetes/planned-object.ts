import type { DeploymentArgs } from "@pulumi/kubernetes/apps/v1/deployment.js";
import type { StatefulSetArgs } from "@pulumi/kubernetes/apps/v1/statefulSet.js";
import type { HorizontalPodAutoscalerArgs } from "@pulumi/kubernetes/autoscaling/v2/horizontalPodAutoscaler.js";
import type { JobArgs } from "@pulumi/kubernetes/batch/v1/job.js";
import type { ConfigMapArgs } from "@pulumi/kubernetes/core/v1/configMap.js";
import type { NamespaceArgs } from "@pulumi/kubernetes/core/v1/namespace.js";
import type { ServiceArgs } from "@pulumi/kubernetes/core/v1/service.js";
import type { ServiceAccountArgs } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import type { NetworkPolicyArgs } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import type { PodDisruptionBudgetArgs } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget.js";
import type { PlannedObject } from "../../kubernetes/objects.ts";
import type { Plain } from "../plain.ts";

/** Inputs of a resource by the kind of its object. */
export interface KubernetesArgsByKind {
  readonly Namespace: NamespaceArgs;
  readonly ServiceAccount: ServiceAccountArgs;
  readonly NetworkPolicy: NetworkPolicyArgs;
  readonly ConfigMap: ConfigMapArgs;
  readonly Service: ServiceArgs;
  readonly StatefulSet: StatefulSetArgs;
  readonly Deployment: DeploymentArgs;
  readonly Job: JobArgs;
  readonly PodDisruptionBudget: PodDisruptionBudgetArgs;
  readonly HorizontalPodAutoscaler: HorizontalPodAutoscalerArgs;
}

/** Every kind of object that a deployment on Kubernetes is made of. */
export type KubernetesKind = keyof KubernetesArgsByKind;

/** What one resource of a deployment on Kubernetes will be given: its inputs are the object as `export kubernetes` writes it. */
export type KubernetesObject = {
  readonly [Kind in KubernetesKind]: {
    readonly kind: Kind;
    readonly name: string;
    readonly inputs: Plain<KubernetesArgsByKind[Kind]>;
  };
}[KubernetesKind];

/** The objects of a plan, in its order. Nothing is said in other words: Pulumi's are those of Kubernetes. */
export function plannedObjects(objects: readonly PlannedObject[]): readonly KubernetesObject[] {
  return objects.map((object) => {
    return { kind: object.kind, name: object.metadata.name, inputs: object } as unknown as KubernetesObject;
  });
}

/** What an object is called in a report, as the check of rendered objects calls it. */
export function idOf({ kind, name }: Pick<KubernetesObject, "kind" | "name">): string {
  return `${kind}/${name}`;
}
