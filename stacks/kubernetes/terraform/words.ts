/**
 * Where the provider's words are not those of the API. A place is the end of a member's path, its kind first: `containers.ports` is
 * `ports` of every container, `Service.spec.ports` those of a service. What stands in no table has the name and the form that it has
 * in the API.
 */
export type Places = readonly string[];

/** Whether a member's path ends with one of the places. */
export function isAt(places: Places, path: readonly string[]): boolean {
  return placeOf(places, path) !== undefined;
}

/** The name of a member: the provider calls what it repeats as a block by one of it. */
export function providerName(path: readonly string[]): string {
  const place = placeOf(Object.keys(RENAMED), path);
  return (place === undefined ? undefined : RENAMED[place]) ?? path.at(-1) ?? "";
}

function placeOf(places: Places, path: readonly string[]): string | undefined {
  const whole = `.${path.join(".")}`;
  return places.find((place) => whole.endsWith(`.${place}`));
}

const RENAMED: Readonly<Record<string, string>> = {
  "spec.containers": "container",
  "containers.ports": "port",
  "containers.volumeMounts": "volumeMount",
  "spec.volumes": "volume",
  "spec.topologySpreadConstraints": "topologySpreadConstraint",
  "spec.volumeClaimTemplates": "volumeClaimTemplate",
  "Service.spec.ports": "port",
  "Service.spec.clusterIP": "clusterIp",
  "HorizontalPodAutoscaler.spec.metrics": "metric",
  "scaleDown.policies": "policy",
  "scaleUp.policies": "policy",
};

/** Objects with names of anybody's choice: no member of theirs is the API's. */
export const MAPS: Places = [
  "metadata.labels",
  "metadata.annotations",
  "matchLabels",
  "ConfigMap.data",
  "resources.limits",
  "resources.requests",
  "Service.spec.selector",
];

/** Objects that are a list of one for the provider. */
export const LISTS_OF_ONE: Places = [
  "StatefulSet.spec.updateStrategy",
  "updateStrategy.rollingUpdate",
  "StatefulSet.spec.persistentVolumeClaimRetentionPolicy",
  "topologySpreadConstraints.labelSelector",
  "tcpSocket",
  "HorizontalPodAutoscaler.spec.behavior.scaleDown",
  "HorizontalPodAutoscaler.spec.behavior.scaleUp",
];

/** Numbers that are texts for the provider, since a 0 of a number is for it nothing that was said, or since they may be texts. */
export const TEXTS: Places = [
  "StatefulSet.spec.replicas",
  "Deployment.spec.replicas",
  "securityContext.runAsUser",
  "securityContext.runAsGroup",
  "securityContext.fsGroup",
  "Service.spec.ports.targetPort",
  "tcpSocket.port",
  "ingress.ports.port",
  "egress.ports.port",
  "spec.maxUnavailable",
  "rollingUpdate.maxUnavailable",
  "rollingUpdate.maxSurge",
];

/** Modes of files, which are octal texts for the provider: 288 is `0440`. */
export const MODES: Places = ["configMap.defaultMode", "secret.defaultMode"];
