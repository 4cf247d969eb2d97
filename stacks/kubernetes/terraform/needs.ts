import type { V1PodSpec } from "@kubernetes/client-node";
import type { PlannedObject } from "../objects.ts";

/**
 * What has to be there before an object: the namespace, and for what runs pods what these refer to, and the policies that are for
 * every pod, so that none runs before nothing is allowed.
 */
export function neededBefore(object: PlannedObject, objects: readonly PlannedObject[]): readonly PlannedObject[] {
  if (object.kind === "Namespace") return [];
  const pod = podOf(object);
  return objects.filter((other) => {
    if (other.kind === "Namespace") return other.metadata.name === object.metadata.namespace;
    if (pod === undefined) return false;
    const { name } = other.metadata;
    if (other.kind === "ServiceAccount") return name === pod.serviceAccountName;
    if (other.kind === "ConfigMap") return pod.volumes?.some(({ configMap }) => configMap?.name === name) === true;
    return other.kind === "NetworkPolicy" && isForEveryPod(other);
  });
}

function podOf(object: PlannedObject): V1PodSpec | undefined {
  if (!("spec" in object) || object.spec === undefined || !("template" in object.spec)) return undefined;
  return object.spec.template.spec;
}

function isForEveryPod(object: PlannedObject): boolean {
  if (!("spec" in object) || object.spec === undefined || !("podSelector" in object.spec)) return false;
  return Object.keys(object.spec.podSelector ?? {}).length === 0;
}
