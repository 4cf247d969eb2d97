import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { takeLock } from "../../host/lock.ts";
import { removeStored } from "../../host/remove-stored.ts";
import { collectionPath, objectPath } from "./api.ts";
import { leftOver } from "./apply.ts";
import { openCluster } from "./cluster.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import type { ClusterOptions } from "./options.ts";
import { assertRights, isOwn } from "./preflight.ts";
import { assertDeployed } from "./site.ts";

/** Longest wait for pods to end and volumes to be given back, in milliseconds. */
const END_MS = 300_000;

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
 * Removes every object of the deployment from its cluster, and waits until no pod is left. Claims stay in the namespace, and keys and
 * secrets in the state directory, unless `volumes` says otherwise.
 * @throws NOT_DEPLOYED, STATE_LOCKED, NAMESPACE_FOREIGN, CLUSTER_UNREACHABLE, CLUSTER_DENIED, WORKLOAD_TIMEOUT, DEPLOY_CANCELLED
 */
export async function destroyCluster(options: ClusterDestroyOptions): Promise<ClusterDestroyReport> {
  const cluster = await openCluster(options);
  assertDeployed(cluster);
  const { api, plan, layout } = cluster;
  const { namespace } = options.deployment.kubernetes;
  const unlock = takeLock(layout.lockFile, options.pid);
  try {
    const found = await api.get(`${collectionPath("v1", "Namespace")}/${namespace}`);
    if (found !== undefined && !isOwn(found, plan)) {
      throw kubernetesLifeErrors.error("NAMESPACE_FOREIGN", `the namespace "${namespace}" is another's by its labels`, {
        path: "kubernetes.namespace",
      });
    }
    let removed = 0;
    if (found !== undefined) {
      // Before the first object goes: what is half gone is the worse for it.
      const ofNamespace = ["", "namespaces", ["get", "delete"]] as const;
      if (options.volumes) await assertRights(api, namespace, [ofNamespace]);
      const secrets = plan.secrets.map(({ secret }) => ({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: secret, namespace },
      }));
      const others = plan.objects.filter(({ kind }) => kind !== "Namespace");
      for (const object of [...others.toReversed(), ...secrets, ...(await leftOver(api, plan))]) {
        if (await api.remove(objectPath(object))) removed += 1;
      }
      if (options.volumes && (await api.remove(`${collectionPath("v1", "Namespace")}/${namespace}`))) removed += 1;
      await untilGone(options.signal, async () =>
        options.volumes
          ? (await api.get(`${collectionPath("v1", "Namespace")}/${namespace}`)) === undefined
          : (await api.list(collectionPath("v1", "Pod", namespace))).length === 0,
      );
    }
    if (options.volumes) removeStored(layout);
    else rmSync(dirname(layout.runDir), { recursive: true, force: true });
    return { schema: "trustkern.destroy/1", removed, kept: !options.volumes };
  } finally {
    unlock();
  }
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
