import type {
  V1ConfigMap,
  V1Deployment,
  V1Job,
  V1Namespace,
  V1NetworkPolicy,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1NetworkPolicySpec,
  V1PodDisruptionBudget,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
  V2HorizontalPodAutoscaler,
} from "@kubernetes/client-node";

/** An object that says what it is, as a manifest has to. */
export type Typed<T extends { metadata?: unknown }> = Omit<T, "metadata"> & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string } & NonNullable<T["metadata"]>;
};

/** A rule for who may connect, as the API has it: the client's class calls the member `_from`. */
export interface IngressRule {
  readonly from: V1NetworkPolicyPeer[];
  readonly ports: V1NetworkPolicyPort[];
}

/** A network policy as the API has it. */
export type NetworkPolicy = Omit<Typed<V1NetworkPolicy>, "spec"> & {
  readonly spec: Omit<V1NetworkPolicySpec, "ingress"> & { readonly ingress?: IngressRule[] };
};

/** Every kind of object that a deployment is made of. */
export type PlannedObject =
  | Typed<V1Namespace>
  | Typed<V1ServiceAccount>
  | NetworkPolicy
  | Typed<V1ConfigMap>
  | Typed<V1Service>
  | Typed<V1StatefulSet>
  | Typed<V1Deployment>
  | Typed<V1Job>
  | Typed<V1PodDisruptionBudget>
  | Typed<V2HorizontalPodAutoscaler>;

/** Kinds in the order in which they are applied: what a pod needs is there before it. */
export const KIND_ORDER: readonly string[] = [
  "Namespace",
  "ServiceAccount",
  "NetworkPolicy",
  "ConfigMap",
  "Service",
  "StatefulSet",
  "Deployment",
  "Job",
  "PodDisruptionBudget",
  "HorizontalPodAutoscaler",
];

/** Objects in the order of {@link KIND_ORDER}, and within a kind by name, as names of files `NAME.yaml` are sorted. */
export function inOrder<T extends { readonly kind: string; readonly metadata: { readonly name: string } }>(
  objects: readonly T[],
): readonly T[] {
  const rank = ({ kind }: T) => KIND_ORDER.indexOf(kind);
  const nameOf = ({ metadata }: T) => `${metadata.name}.yaml`;
  return objects.toSorted((a, b) => rank(a) - rank(b) || (nameOf(a) < nameOf(b) ? -1 : 1));
}
