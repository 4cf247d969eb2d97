import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { ImagePins } from "../docker/images.ts";
import { configMaps } from "./config-map.ts";
import { namespaceOf, serviceAccountOf } from "./namespace.ts";
import { inOrder, type PlannedObject } from "./objects.ts";
import { type Pod, planPods } from "./pods.ts";
import { policiesOf } from "./policies.ts";
import { disruptionOf, scalingOf } from "./scaling.ts";
import { servicesOf } from "./services.ts";
import { workloadOf } from "./workloads.ts";

/** What a model is rendered for. */
export interface KubernetesTarget {
  readonly deployment: Deployment;
  readonly images: ImagePins;
}

/** A Secret that has to be there, by name and by the names in it: its bytes are in no plan and in no export. */
export interface SecretNames {
  /** Name of the Secret, which is its component's. */
  readonly secret: string;
  readonly keys: readonly string[];
}

/** A deployment as Kubernetes will have it. */
export interface KubernetesPlan {
  readonly deployment: Deployment;
  readonly pods: readonly Pod[];
  /** In the order in which they are applied. */
  readonly objects: readonly PlannedObject[];
  readonly secrets: readonly SecretNames[];
}

/**
 * The objects of a model.
 * @throws KUBERNETES_COMPONENT, KUBERNETES_POD, KUBERNETES_NAME_LONG, KUBERNETES_IMAGE_UNPINNED
 */
export function planKubernetes(model: Model, { deployment, images }: KubernetesTarget): KubernetesPlan {
  const pods = planPods(model, deployment);
  const components = pods.flatMap((pod) => pod.components);
  const objects: readonly PlannedObject[] = [
    namespaceOf(deployment),
    ...pods.map((pod) => serviceAccountOf(pod, deployment)),
    ...policiesOf(model, pods, deployment),
    ...components.flatMap((component) => configMaps(component, deployment)),
    ...pods.flatMap((pod) => servicesOf(pod, deployment)),
    ...pods.map((pod) => workloadOf(pod, { model, deployment, images })),
    ...pods.flatMap((pod) => disruptionOf(pod, deployment)),
    ...pods.flatMap((pod) => scalingOf(pod, deployment)),
  ];
  const secrets = components
    .filter((component) => component.secrets.length > 0)
    .map(({ name, secrets: own }) => ({ secret: name, keys: own.map((secret) => secret.name) }));
  return { deployment, pods, objects: inOrder(objects), secrets };
}
