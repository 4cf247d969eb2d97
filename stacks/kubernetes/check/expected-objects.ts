import type { Component } from "../../../model/component.ts";
import { shortHash } from "../config-map.ts";
import { type CheckContext, type CheckedPod, checkedPods, commonLabels, labelsOf, selectorOf } from "./context.ts";
import { expectedPolicies } from "./expected-network.ts";
import { binary, expectedClaim, expectedConfigName, expectedKey, expectedTemplate } from "./expected-pods.ts";

/** Every object that there has to be, whatever rendered them. */
export function expectedObjects(context: CheckContext): readonly object[] {
  const pods = checkedPods(context);
  return [
    namespaceObject(context),
    ...pods.map((pod) => ({
      ...{ apiVersion: "v1", kind: "ServiceAccount", metadata: metadataOf(pod.name, pod.components[0], context) },
      automountServiceAccountToken: false,
    })),
    ...expectedPolicies(pods, context),
    ...pods.flatMap((pod) => pod.components.flatMap((component) => configObjects(component, context))),
    ...pods.flatMap((pod) => pod.components.flatMap((component) => serviceObjects(component, pod, context))),
    ...pods.map((pod) => workloadObject(pod, context)),
    ...pods.flatMap((pod) => runningObjects(pod, context)),
  ];
}

function namespaceObject(context: CheckContext): object {
  const restricted = ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]);
  const labels = { ...commonLabels(context), ...Object.fromEntries(restricted) };
  // Whoever deletes what a repository has no more would delete claims and Secrets with it.
  const annotations = {
    "argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
  };
  const metadata = { name: context.deployment.kubernetes.namespace, labels, annotations };
  return { apiVersion: "v1", kind: "Namespace", metadata };
}

function metadataOf(name: string, component: Component, context: CheckContext): object {
  return { name, namespace: context.deployment.kubernetes.namespace, labels: labelsOf(component, context) };
}

function configObjects(component: Component, context: CheckContext): readonly object[] {
  if (component.files.length === 0) return [];
  const data = Object.fromEntries(component.files.map(({ path, content }) => [expectedKey(path), content]));
  const metadata = metadataOf(expectedConfigName(component), component, context);
  return [{ apiVersion: "v1", kind: "ConfigMap", metadata, immutable: true, data }];
}

function serviceObjects(component: Component, pod: CheckedPod, context: CheckContext): readonly object[] {
  const { publish } = context.deployment.kubernetes;
  const selector = selectorOf(pod.name, context);
  const door = (port: Component["ports"][number], number: number) => ({
    ...{ name: port.name, port: number, targetPort: port.port, protocol: port.protocol === "udp" ? "UDP" : "TCP" },
  });
  const handedOut = component.ports.filter((port) => port.publish);
  const asked = (port: string, usual: number) => context.deployment.ports[`${component.name}.${port}`] || usual;
  return [
    ...(component.ports.length === 0
      ? []
      : [
          {
            ...{ apiVersion: "v1", kind: "Service", metadata: metadataOf(component.name, component, context) },
            spec: {
              type: "ClusterIP",
              ...(pod.several ? { clusterIP: "None" } : {}),
              selector,
              ports: component.ports.map((port) => door(port, port.port)),
            },
          },
        ]),
    ...(handedOut.length === 0 || publish.service === "ClusterIP" || publish.from.length === 0
      ? []
      : [
          {
            ...{
              apiVersion: "v1",
              kind: "Service",
              metadata: metadataOf(`${component.name}-published`, component, context),
            },
            spec: {
              type: "LoadBalancer",
              externalTrafficPolicy: "Local",
              loadBalancerSourceRanges: publish.from,
              selector,
              ports: handedOut.map((port) => door(port, asked(port.name, port.port))),
            },
          },
        ]),
  ];
}

function workloadObject(pod: CheckedPod, context: CheckContext): object {
  const [first] = pod.components;
  const template = expectedTemplate(pod, context);
  if (first.health.kind === "exit") {
    const spec = { backoffLimit: 12, template };
    return {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadataOf(`${pod.name}-${shortHash(spec)}`, first, context),
      spec,
    };
  }
  const common = {
    ...(pod.scaled ? {} : { replicas: first.replicas }),
    ...{
      revisionHistoryLimit: 3,
      minReadySeconds: 5,
      selector: { matchLabels: selectorOf(pod.name, context) },
      template,
    },
  };
  const named = { apiVersion: "apps/v1", metadata: metadataOf(pod.name, first, context) };
  const claims = pod.components.flatMap((component) => claimObjects(component, pod, context));
  if (claims.length === 0) {
    const strategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
    return { ...named, kind: "Deployment", spec: { ...common, strategy } };
  }
  const [served] = pod.components.filter(({ ports }) => ports.length > 0);
  return {
    ...named,
    kind: "StatefulSet",
    spec: {
      ...common,
      ...(served === undefined ? {} : { serviceName: served.name }),
      podManagementPolicy: pod.several ? "Parallel" : "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      volumeClaimTemplates: claims,
    },
  };
}

function claimObjects(component: Component, pod: CheckedPod, context: CheckContext): readonly object[] {
  const { storageClass } = context.deployment.kubernetes;
  return component.volumes.map(({ name }) => ({
    ...{ apiVersion: "v1", kind: "PersistentVolumeClaim" },
    metadata: { name: expectedClaim(component, name, pod), labels: labelsOf(component, context) },
    spec: {
      accessModes: ["ReadWriteOnce"],
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      volumeMode: "Filesystem",
      resources: { requests: { storage: binary(mebibytes(component, name, context)) } },
    },
  }));
}

function mebibytes({ name, service }: Component, volume: string, { deployment }: CheckContext): number {
  const { gateway, retention, kubernetes } = deployment;
  if (name === "database") return Math.ceil(kubernetes.databaseBytes / 2 ** 20);
  if (`${name}.${volume}` === "prometheus.data") return 8192;
  if (`${name}.${volume}` === "broker.state") return 4096;
  return (
    1024 + (service === "gateway" ? Math.ceil((gateway.spoolMaxBytes + retention.quarantineMaxBytes) / 2 ** 20) : 0)
  );
}

function runningObjects(pod: CheckedPod, context: CheckContext): readonly object[] {
  const [first] = pod.components;
  if (first.health.kind === "exit") return [];
  const metadata = metadataOf(pod.name, first, context);
  const { min, max } = context.deployment.kubernetes.collector;
  return [
    {
      ...{ apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata },
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: selectorOf(pod.name, context) },
      },
    },
    ...(pod.scaled
      ? [
          {
            ...{ apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata },
            spec: {
              scaleTargetRef: { apiVersion: "apps/v1", kind: "StatefulSet", name: pod.name },
              minReplicas: min,
              maxReplicas: max,
              metrics: [
                {
                  type: "Resource",
                  resource: { name: "cpu", target: { type: "AverageValue", averageValue: "1400m" } },
                },
              ],
              behavior: {
                scaleDown: {
                  stabilizationWindowSeconds: 300,
                  policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
                },
              },
            },
          },
        ]
      : []),
  ];
}
