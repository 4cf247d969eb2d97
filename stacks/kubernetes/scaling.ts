import type { V1PodDisruptionBudget, V2HorizontalPodAutoscaler } from "@kubernetes/client-node";
import type { Deployment } from "../../model/deployment.ts";
import { componentLabels, selectorLabels } from "./labels.ts";
import type { Typed } from "./objects.ts";
import type { Pod } from "./pods.ts";
import { cores } from "./quantities.ts";

/** Share of the processors that each may use at which there is one more. */
const BUSY = 0.7;
/** Seconds of calm before there is one less. */
const CALM_SECONDS = 300;

/** One pod at a time is put out when a node is emptied; one that is ill is in nobody's way. A job has none: it ends. */
export function disruptionOf(pod: Pod, deployment: Deployment): readonly Typed<V1PodDisruptionBudget>[] {
  if (pod.kind === "Job") return [];
  return [
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: metadataOf(pod, deployment),
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: { ...selectorLabels(deployment, pod.name) } },
      },
    },
  ];
}

/** As many as the load asks for, within the deployment's bounds; none where the bounds are one number. */
export function scalingOf(pod: Pod, deployment: Deployment): readonly Typed<V2HorizontalPodAutoscaler>[] {
  if (pod.kind === "Job" || pod.maxReplicas <= pod.replicas) return [];
  return [
    {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: metadataOf(pod, deployment),
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: pod.kind, name: pod.name },
        minReplicas: pod.replicas,
        maxReplicas: pod.maxReplicas,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "AverageValue", averageValue: cores(BUSY * mostCpus(pod)) } },
          },
        ],
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: CALM_SECONDS,
            policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
          },
        },
      },
    },
  ];
}

function metadataOf({ name, components }: Pod, deployment: Deployment) {
  return { name, namespace: deployment.kubernetes.namespace, labels: componentLabels(deployment, components[0]) };
}

function mostCpus({ components }: Pod): number {
  return components.reduce((sum, { limits }) => sum + limits.cpus, 0);
}
