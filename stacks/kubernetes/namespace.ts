import type { V1Namespace, V1ServiceAccount } from "@kubernetes/client-node";
import type { Deployment } from "../../model/deployment.ts";
import { componentLabels, deploymentLabels } from "./labels.ts";
import type { Typed } from "./objects.ts";
import type { Pod } from "./pods.ts";

/** What Kubernetes holds every pod of the namespace to, refuses, notes and warns of. */
const POD_SECURITY_LABELS = Object.fromEntries(
  ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
);

/** With the namespace go claims and Secrets: Argo CD asks before it deletes it, Flux never does. Everything else both delete by themselves. */
const KEEPING = {
  "argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm",
  "kustomize.toolkit.fluxcd.io/prune": "disabled",
} as const;

/** The namespace of a deployment, for which PodSecurity `restricted` is in force. */
export function namespaceOf(deployment: Deployment): Typed<V1Namespace> {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: deployment.kubernetes.namespace,
      labels: { ...deploymentLabels(deployment), ...POD_SECURITY_LABELS },
      annotations: { ...KEEPING },
    },
  };
}

/** The account of a pod, which has no token and no right: it is there so that none of them is another's. */
export function serviceAccountOf({ name, components }: Pod, deployment: Deployment): Typed<V1ServiceAccount> {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      name,
      namespace: deployment.kubernetes.namespace,
      labels: componentLabels(deployment, components[0]),
    },
    automountServiceAccountToken: false,
  };
}
