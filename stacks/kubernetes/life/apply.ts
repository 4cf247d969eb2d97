import { isDeepStrictEqual } from "node:util";
import type { Component } from "../../../model/component.ts";
import { LABEL } from "../../docker/labels.ts";
import { deploymentLabels } from "../labels.ts";
import { KIND_ORDER, type PlannedObject } from "../objects.ts";
import type { KubernetesPlan } from "../plan.ts";
import { type ClusterApi, collectionPath, type LiveObject, objectPath } from "./api.ts";
import type { SecretObject } from "./secrets.ts";
import { withoutDefaults } from "./server-defaults.ts";

/** Annotation of pods that start anew with their Secret: the version of it that they were started for. */
export const SECRET_VERSION = `${LABEL}.secret-version`;

/** Kinds that are removed when the deployment no longer has them. Claims are never: they have what was stored. */
const PRUNED: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["autoscaling/v2", "HorizontalPodAutoscaler"],
  ["policy/v1", "PodDisruptionBudget"],
  ["batch/v1", "Job"],
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["v1", "Service"],
  ["v1", "ConfigMap"],
  ["v1", "Secret"],
  ["v1", "ServiceAccount"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
];

/** One change of an object. */
export interface ObjectChange {
  readonly action: "create" | "update" | "delete";
  readonly kind: string;
  readonly name: string;
}

/** Kinds that a pod needs before it starts; Secrets come after these and before the rest. */
export function isBeforePods({ kind }: Pick<PlannedObject, "kind">): boolean {
  return KIND_ORDER.indexOf(kind) < KIND_ORDER.indexOf("StatefulSet");
}

/**
 * What applying an object changes in the cluster, and nothing where it is as it would be.
 * @param dryRun changes nothing. @default false
 */
export async function applyObject(
  api: ClusterApi,
  object: PlannedObject | SecretObject,
  dryRun = false,
): Promise<readonly ObjectChange[]> {
  const before = await api.get(objectPath(object));
  const applied = await api.apply(object, { dryRun });
  const { kind, metadata } = object;
  const after = resetOf(applied, object);
  if (after !== applied && !dryRun) await api.replace(after);
  if (before === undefined) return [{ action: "create", kind, name: metadata.name }];
  return isDeepStrictEqual(comparable(before), comparable(after))
    ? []
    : [{ action: "update", kind, name: metadata.name }];
}

/** Kinds of which nothing may stay that somebody has added: it would run, or let somebody in. */
const OURS_ALONE: readonly string[] = ["StatefulSet", "Deployment", "NetworkPolicy"];

/**
 * An object without what somebody has added to its spec, which server-side apply leaves: it is another's field. What others say of it in
 * its metadata stays, and the object itself where there is nothing of that kind.
 */
function resetOf(applied: LiveObject, planned: PlannedObject | SecretObject): LiveObject {
  if (!OURS_ALONE.includes(planned.kind)) return applied;
  const { spec } = planned as { readonly spec?: unknown };
  const own = (withoutDefaults(applied, planned) as { readonly spec?: unknown }).spec;
  return isDeepStrictEqual(own, spec) ? applied : { ...applied, spec: replicasOf(applied, spec) };
}

/** How many there are is said by whoever scales, where the plan does not say it. */
function replicasOf(applied: LiveObject, spec: unknown): unknown {
  const { replicas } = (applied.spec ?? {}) as { readonly replicas?: number };
  return replicas === undefined ? spec : { replicas, ...(spec as object) };
}

/** Pods of a component that cannot take a new certificate while they run start anew for each version of its Secret. */
export function startedFor(
  object: PlannedObject,
  components: readonly Component[],
  versions: ReadonlyMap<string, string>,
): PlannedObject {
  if (object.kind !== "StatefulSet" && object.kind !== "Deployment") return object;
  const fixed = components.filter(({ renewal }) => renewal === "restart" || renewal === "reload");
  const marks = fixed.flatMap(({ name }) => versions.get(name) ?? []);
  if (marks.length === 0) return object;
  const { spec } = object as { readonly spec: Workload };
  const annotations = { ...spec.template.metadata?.annotations, [SECRET_VERSION]: marks.join(".") };
  const template = { ...spec.template, metadata: { ...spec.template.metadata, annotations } };
  return { ...object, spec: { ...spec, template } } as PlannedObject;
}

interface Workload {
  readonly template: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
}

/** What belongs to the deployment in the cluster and is not in its plan. */
export async function leftOver(api: ClusterApi, plan: KubernetesPlan): Promise<readonly LiveObject[]> {
  const { deployment, objects, secrets } = plan;
  const keyOf = (kind: string, name: string): string => `${kind}/${name}`;
  const planned = new Set([
    ...objects.map(({ kind, metadata }) => keyOf(kind, metadata.name)),
    ...secrets.map(({ secret }) => keyOf("Secret", secret)),
  ]);
  const found: LiveObject[] = [];
  for (const [apiVersion, kind] of PRUNED) {
    const path = collectionPath(apiVersion, kind, deployment.kubernetes.namespace);
    const live = await api.list(path, { ...deploymentLabels(deployment) });
    found.push(...live.filter(({ metadata }) => !planned.has(keyOf(kind, metadata.name))));
  }
  return found;
}

/** An object without what the server keeps of it: who set which field, its versions, how it is. */
function comparable({ metadata, status: _, ...rest }: LiveObject): object {
  const { managedFields: __, resourceVersion: ___, generation: ____, ...named } = metadata as Record<string, unknown>;
  return { ...rest, metadata: named };
}
