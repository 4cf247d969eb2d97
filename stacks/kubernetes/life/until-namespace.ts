import { setTimeout as sleep } from "node:timers/promises";
import { hostErrors } from "../../host/errors.ts";
import { collectionPath } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import type { ClusterOptions } from "./options.ts";
import { assertNamespace, isBare, isOwn } from "./preflight.ts";

/** How often it is looked for what others make. */
const LOOK_MS = 500;

/**
 * Waits until somebody else has made the namespace, and has labelled it as the deployment's: Secrets go into no other. Whoever applies
 * the objects makes it, since one that is there already is refused by some of them.
 * @throws WORKLOAD_TIMEOUT, NAMESPACE_FOREIGN, DEPLOY_CANCELLED
 */
export async function untilNamespace(
  { api, plan }: Pick<Cluster, "api" | "plan">,
  { limitMs, signal, onProgress }: Pick<ClusterOptions, "signal" | "onProgress"> & { readonly limitMs: number },
): Promise<void> {
  const { namespace } = plan.deployment.kubernetes;
  const path = `${collectionPath("v1", "Namespace")}/${namespace}`;
  onProgress(`waiting for the namespace ${namespace}`);
  for (const end = Date.now() + limitMs; ; ) {
    const found = await api.get(path);
    if (found !== undefined && isOwn(found, plan)) return;
    if (signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", "interrupted; nothing was applied");
    const late = Date.now() > end;
    // Some make it first, and give it its labels with the other objects.
    if (found !== undefined && !isBare(found)) await assertNamespace(api, plan);
    if (found !== undefined && late) {
      throw kubernetesLifeErrors.error("NAMESPACE_FOREIGN", `nobody has labelled the namespace "${namespace}"`, {
        path: "kubernetes.namespace",
        fix: "apply what trustkern export kubernetes writes, its Namespace too, which has the labels; or name another one with kubernetes.namespace",
      });
    }
    if (found === undefined && late) {
      throw kubernetesLifeErrors.error("WORKLOAD_TIMEOUT", `nobody has made the namespace "${namespace}"`, {
        path: "kubernetes.namespace",
        fix: "apply what trustkern export kubernetes writes, or run trustkern deploy without --applied-elsewhere",
      });
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}
