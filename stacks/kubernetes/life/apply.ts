import { isDeepStrictEqual } from "node:util";
import type { Component } from "../../../model/component.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { LABEL } from "../../docker/labels.ts";
import { differences } from "../check/differences.ts";
import { deploymentLabels } from "../labels.ts";
import { KIND_ORDER, type PlannedObject } from "../objects.ts";
import type { KubernetesPlan } from "../plan.ts";
import { type ApiObject, type ClusterApi, collectionPath, FIELD_MANAGER, type LiveObject, objectPath } from "./api.ts";
import type { SecretObject } from "./secrets.ts";
import { onlyPlanned, withoutDefaults } from "./server-defaults.ts";

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
  const { kind, metadata } = object;
  if (before !== undefined && !dryRun) await leaveReplicas(api, before, object);
  const after = await applyAlone(api, object, dryRun);
  if (before === undefined) return [{ action: "create", kind, name: metadata.name }];
  return isDeepStrictEqual(comparable(before), comparable(after))
    ? []
    : [{ action: "update", kind, name: metadata.name }];
}

/** Whose the number of pods is from when whoever scales by load is to say it. */
const SCALER = "trustkern-scale";

/**
 * Leaves a workload as many pods as it has, where the plan says their number no longer: what its only manager does not say any more goes
 * (Kubernetes, server-side apply, "Transferring ownership"), and the server would make it one.
 */
async function leaveReplicas(api: ClusterApi, before: LiveObject, object: PlannedObject | SecretObject): Promise<void> {
  const { spec: planned } = object as { readonly spec?: { readonly replicas?: number } };
  const { replicas } = (before.spec ?? {}) as { readonly replicas?: number };
  if (replicas === undefined || planned === undefined || planned.replicas !== undefined || !isOwnNumber(before)) return;
  const { apiVersion, kind, metadata } = before;
  const { name, namespace } = metadata;
  await api.apply({ apiVersion, kind, metadata: { name, namespace }, spec: { replicas } } as ApiObject, {
    fieldManager: SCALER,
  });
}

/** Whether the number of pods was applied by us (Kubernetes API, ObjectMeta.managedFields). */
function isOwnNumber({ metadata }: LiveObject): boolean {
  const { managedFields = [] } = metadata as { readonly managedFields?: readonly ManagedFields[] };
  return managedFields.some(
    ({ manager, operation, fieldsV1 }) =>
      manager === FIELD_MANAGER && operation === "Apply" && fieldsV1?.["f:spec"]?.["f:replicas"] !== undefined,
  );
}

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsV1?: { readonly "f:spec"?: Readonly<Record<string, unknown>> };
}

/** How often an object is put back that a controller has changed in between. */
const TRIES = 5;

async function applyAlone(api: ClusterApi, object: PlannedObject | SecretObject, dryRun: boolean): Promise<LiveObject> {
  for (let tried = 1; ; tried += 1) {
    const applied = await api.apply(object, { dryRun });
    const after = resetOf(applied, object);
    if (after === applied || dryRun) return after;
    try {
      await api.replace(after);
      return after;
    } catch (thrown) {
      if (!isConflict(thrown) || tried === TRIES) throw thrown;
    }
  }
}

/** Whether an object was another one by the time that it was put back (Kubernetes API, Status.reason). */
function isConflict(thrown: unknown): boolean {
  return thrown instanceof TrustKernError && thrown.code === "CLUSTER_REJECTED" && / Conflict: /.test(thrown.message);
}

/**
 * Kinds of which what somebody has added stays until they are removed: others may write in a namespace, and have the right to; jobs and
 * configurations are never changed, and another one is another object.
 */
const NEVER_RESET: readonly string[] = ["Namespace", "Job", "ConfigMap", "Secret"];

/** Whether applying an object of a kind takes away what somebody has added to it. */
export function isReset(kind: string): boolean {
  return !NEVER_RESET.includes(kind);
}

/**
 * An object without what somebody has added to it, which server-side apply leaves, since it is another's field: it would run, let
 * somebody in, or hinder who unseals. What the server and controllers say there stays; and the object itself, where there is nothing else.
 */
function resetOf(applied: LiveObject, object: PlannedObject | SecretObject): LiveObject {
  if (!isReset(object.kind)) return applied;
  // As it went over: members that are undefined do not.
  const planned: ApiObject = JSON.parse(JSON.stringify(object));
  const own = withoutDefaults(applied, planned);
  return differences(own, planned, "").length === 0 ? applied : onlyPlanned(applied, planned);
}

/** Pods of a component that cannot take a new certificate while they run start anew for each version of its Secret. */
export function startedFor(
  object: PlannedObject,
  components: readonly Component[],
  versions: ReadonlyMap<string, string>,
): PlannedObject {
  if (object.kind !== "StatefulSet" && object.kind !== "Deployment") return object;
  const mark = markFor(components, versions);
  if (mark === undefined) return object;
  const { spec } = object as { readonly spec: Workload };
  const annotations = { ...spec.template.metadata?.annotations, [SECRET_VERSION]: mark };
  const template = { ...spec.template, metadata: { ...spec.template.metadata, annotations } };
  return { ...object, spec: { ...spec, template } } as PlannedObject;
}

/** Versions of the Secrets of those components of a pod that read theirs once; undefined where there is none. */
export function markFor(components: readonly Component[], versions: ReadonlyMap<string, string>): string | undefined {
  const fixed = components.filter(({ renewal }) => renewal === "restart" || renewal === "reload");
  const marks = fixed.flatMap(({ name }) => versions.get(name) ?? []);
  return marks.length === 0 ? undefined : marks.join(".");
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
