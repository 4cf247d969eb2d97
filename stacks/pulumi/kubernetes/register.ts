import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { StatefulSet } from "@pulumi/kubernetes/apps/v1/statefulSet.js";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2/horizontalPodAutoscaler.js";
import { Job } from "@pulumi/kubernetes/batch/v1/job.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget.js";
import type { ComponentResource, CustomResource, CustomResourceOptions } from "@pulumi/pulumi";
import { idOf, type KubernetesArgsByKind, type KubernetesKind, type KubernetesObject } from "./planned-object.ts";

/** A resource class of the provider, for the inputs of its kind. */
type Resource<Kind extends KubernetesKind> = new (
  name: string,
  args: KubernetesArgsByKind[Kind],
  options: CustomResourceOptions,
) => CustomResource;

const RESOURCES: { readonly [Kind in KubernetesKind]: Resource<Kind> } = {
  Namespace,
  ServiceAccount,
  NetworkPolicy,
  ConfigMap,
  Service,
  StatefulSet,
  Deployment,
  Job,
  PodDisruptionBudget,
  HorizontalPodAutoscaler,
};

/** What runs pods. */
const WORKLOADS: readonly KubernetesKind[] = ["StatefulSet", "Deployment", "Job"];
/** What has to be there before any pod, and stay until the last is gone: without its policies a pod would reach everything. */
const BEFORE_PODS: readonly KubernetesKind[] = ["ServiceAccount", "NetworkPolicy", "ConfigMap"];

/**
 * Registers the objects as children of a component, by `Kind/name`. Names are state: `<component>/<object>`, and an object's name has no
 * `/`, so that two deployments of a stack never share one.
 */
export function registerKubernetes(
  objects: readonly KubernetesObject[],
  parent: ComponentResource,
  prefix: string,
): ReadonlyMap<string, CustomResource> {
  const registered = new Map<string, CustomResource>();
  for (const object of objects) {
    const dependsOn = objects
      .filter(({ kind }) => isBefore(kind, object.kind))
      .flatMap((each) => registered.get(idOf(each)) ?? []);
    const options: CustomResourceOptions = {
      parent,
      dependsOn,
      // A name is free only once what had it is gone.
      deleteBeforeReplace: true,
      // With a namespace go its claims and Secrets, and with them rows and keys: whoever means that deletes it.
      ...(object.kind === "Namespace" ? { retainOnDelete: true } : {}),
    };
    registered.set(idOf(object), make(object, `${prefix}/${object.name}`, options));
  }
  return registered;
}

// Services are no condition of pods: Pulumi waits with a Service until pods answer.
function isBefore(one: KubernetesKind, other: KubernetesKind): boolean {
  if (one === "Namespace") return other !== "Namespace";
  return BEFORE_PODS.includes(one) && WORKLOADS.includes(other);
}

function make({ kind, inputs }: KubernetesObject, name: string, options: CustomResourceOptions): CustomResource {
  // Of a kind and its inputs, which belong together, the compiler sees two unions.
  const Made = RESOURCES[kind] as Resource<KubernetesKind>;
  return new Made(name, inputs as KubernetesArgsByKind[KubernetesKind], options);
}
