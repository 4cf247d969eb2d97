import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import type { Component, Port } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { componentLabels, selectorLabels } from "./labels.ts";
import type { Typed } from "./objects.ts";
import { isSeveral, type Pod } from "./pods.ts";

/**
 * The services of a pod's components: one by which the others reach all its ports, and where published ports are handed out by a
 * load balancer one with those alone. Where there are several of a pod, the name stands for each of them, and who asks chooses.
 */
export function servicesOf(pod: Pod, deployment: Deployment): readonly Typed<V1Service>[] {
  return pod.components.flatMap((component) => [
    ...inside(component, pod, deployment),
    ...published(component, pod, deployment),
  ]);
}

/** The service that a StatefulSet names, which has to be there: that of the first component with a port. */
export function governingService({ components }: Pod): string | undefined {
  return components.find(({ ports }) => ports.length > 0)?.name;
}

function inside(component: Component, pod: Pod, deployment: Deployment): readonly Typed<V1Service>[] {
  if (component.ports.length === 0) return [];
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadataOf(component.name, component, deployment),
      spec: {
        type: "ClusterIP",
        ...(isSeveral(pod) ? { clusterIP: "None" } : {}),
        selector: { ...selectorLabels(deployment, pod.name) },
        ports: component.ports.map((port) => servicePort(port, port.port)),
      },
    },
  ];
}

function published(component: Component, pod: Pod, deployment: Deployment): readonly Typed<V1Service>[] {
  const { publish } = deployment.kubernetes;
  const ports = component.ports.filter((port) => port.publish === true);
  if (ports.length === 0 || publish.service !== "LoadBalancer" || publish.from.length === 0) return [];
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadataOf(`${component.name}-published`, component, deployment),
      spec: {
        type: "LoadBalancer",
        // Who connects is seen by its own address, which is what policies and audit logs go by.
        externalTrafficPolicy: "Local",
        loadBalancerSourceRanges: [...publish.from],
        selector: { ...selectorLabels(deployment, pod.name) },
        ports: ports.map((port) => servicePort(port, deployment.ports[`${component.name}.${port.name}`] || port.port)),
      },
    },
  ];
}

function metadataOf(name: string, component: Component, deployment: Deployment) {
  return { name, namespace: deployment.kubernetes.namespace, labels: componentLabels(deployment, component) };
}

function servicePort({ name, port: target, protocol }: Port, port: number): V1ServicePort {
  return { name, port, targetPort: target, protocol: protocol.toUpperCase() };
}
