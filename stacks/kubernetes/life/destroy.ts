import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LABEL } from "../../docker/labels.ts";
import { takeLock } from "../../host/lock.ts";
import { removeStored } from "../../host/remove-stored.ts";
import { type ApiObject, collectionPath, type LiveObject, objectPath } from "./api.ts";
import { leftOver } from "./apply.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { assertRemovalBegun, forgetNamespace, ownNamespace, rememberRemoval } from "./deployed-to.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import type { ClusterOptions } from "./options.ts";
import { assertRights, isOwn } from "./preflight.ts";
import { assertDeployed } from "./site.ts";

/** Longest wait for pods to end and volumes to be given back, in milliseconds. */
const END_MS = 300_000;

/** Kinds that pods come of, or that say how many there are. */
const MAKE_PODS: readonly string[] = [
  "HorizontalPodAutoscaler",
  "PodDisruptionBudget",
  "Job",
  "Deployment",
  "StatefulSet",
];

/** How to destroy what a cluster runs. */
export interface ClusterDestroyOptions extends ClusterOptions {
  /** Whether everything that was stored goes too: claims with rows and keys, secrets, certificates, the namespace. */
  readonly volumes: boolean;
}

/** What a destroy came to. */
export interface ClusterDestroyReport {
  readonly schema: "trustkern.destroy/1";
  /** Objects that were removed. */
  readonly removed: number;
  /** Whether claims, keys and secrets are still there. */
  readonly kept: boolean;
}

/**
 * Removes every object of the deployment from its cluster: what makes pods first, and what isolates them once none is left. Claims stay
 * in the namespace, and keys and secrets in the state directory, unless `volumes` says otherwise.
 * @throws as {@link destroyIn}, KUBECONFIG_INVALID
 */
export async function destroyCluster(options: ClusterDestroyOptions): Promise<ClusterDestroyReport> {
  return destroyIn(await openCluster(options), options);
}

/**
 * The same, in a cluster that was opened.
 * @throws NOT_DEPLOYED, STATE_LOCKED, STATE_CORRUPT, CLUSTER_OTHER, NAMESPACE_FOREIGN, CLUSTER_UNREACHABLE, CLUSTER_DENIED,
 * WORKLOAD_TIMEOUT, DEPLOY_CANCELLED
 */
export async function destroyIn(cluster: Cluster, options: ClusterDestroyOptions): Promise<ClusterDestroyReport> {
  assertDeployed(cluster);
  const { layout } = cluster;
  const unlock = takeLock(layout.lockFile, options.pid);
  try {
    const namespace = await ownNamespace(cluster);
    if (namespace === undefined && options.volumes) assertRemovalBegun(cluster);
    const removed = namespace === undefined ? 0 : await removeObjects(cluster, options, namespace);
    if (options.volumes) {
      removeStored(layout);
      forgetNamespace(layout);
    } else {
      rmSync(dirname(layout.runDir), { recursive: true, force: true });
    }
    return { schema: "trustkern.destroy/1", removed, kept: !options.volumes };
  } finally {
    unlock();
  }
}

/** How many objects were removed of what the namespace has. */
async function removeObjects(
  cluster: Cluster,
  { volumes, signal }: ClusterDestroyOptions,
  live: LiveObject,
): Promise<number> {
  const { api, plan } = cluster;
  const { name: namespace } = live.metadata;
  if (!isOwn(live, plan)) {
    throw kubernetesLifeErrors.error("NAMESPACE_FOREIGN", `the namespace "${namespace}" is another's by its labels`, {
      path: "kubernetes.namespace",
    });
  }
  // Before the first object goes: what is half gone is the worse for it.
  if (volumes) await assertRights(api, namespace, [["", "namespaces", ["get", "delete"]]]);
  const secrets = plan.secrets.map(({ secret }) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secret, namespace },
  }));
  const others = plan.objects.filter(({ kind }) => kind !== "Namespace");
  const all = [...others.toReversed(), ...secrets, ...(await leftOver(api, plan))];
  let removed = 0;
  const remove = async (which: (object: ApiObject) => boolean): Promise<void> => {
    for (const object of all.filter(which)) if (await api.remove(objectPath(object))) removed += 1;
  };
  const isPolicy = ({ kind }: ApiObject): boolean => kind === "NetworkPolicy";
  const makesPods = ({ kind }: ApiObject): boolean => MAKE_PODS.includes(kind);
  await remove(makesPods);
  // Pods that still end may reach what they could before, and nothing else. Where the namespace goes, others' pods go with it.
  const pods = collectionPath("v1", "Pod", namespace);
  const whose = volumes ? { [`${LABEL}.deployment`]: plan.deployment.name } : {};
  await untilGone(signal, async () => (await api.list(pods, whose)).length === 0);
  await remove((object) => !makesPods(object) && !isPolicy(object));
  await remove(isPolicy);
  if (!volumes) return removed;
  rememberRemoval(cluster, live);
  const path = objectPath({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  if (await api.remove(path)) removed += 1;
  await untilGone(signal, async () => (await api.get(path))?.metadata.uid !== live.metadata.uid);
  return removed;
}

/** The cluster goes on by itself when it is interrupted: that is said by the next question to it. */
async function untilGone(signal: AbortSignal, gone: () => Promise<boolean>): Promise<void> {
  for (
    const end = Date.now() + END_MS;
    !(await gone());
    await sleep(500, undefined, { signal }).catch(() => undefined)
  ) {
    if (Date.now() > end) {
      throw kubernetesLifeErrors.error(
        "WORKLOAD_TIMEOUT",
        `pods or volumes are still there after ${END_MS / 1_000} s`,
        {
          fix: "kubectl get all,pvc in the namespace shows what is left, and by which finalizers; then run trustkern destroy again",
        },
      );
    }
  }
}
