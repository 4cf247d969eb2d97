import type { V1StatefulSet } from "@kubernetes/client-node";
import type { KubernetesPlan } from "../plan.ts";
import type { Pod } from "../pods.ts";
import { type ClusterApi, collectionPath } from "./api.ts";
import { hasEnded, isReady, podsOf } from "./pods-running.ts";

/** How long a pod has to be seen as stuck, in milliseconds: what only starts anew is ready before that, or ended by its controller. */
const STUCK_MS = 10_000;

/** Pods that hinder an update, by their uid, and since when that was seen, in milliseconds since 1970. */
export type StuckSince = Map<string, number>;

/**
 * Ends each pod of the version before that is not ready, and so hinders its own update: the controller of a StatefulSet takes such a pod away
 * only once it is ready, which a sealed custody or a wrong image never is (Kubernetes, StatefulSet, "Forced rollback"). What is made
 * in its place is of the new version.
 * @param since - of the same wait, empty at its beginning
 */
export async function endStuck(
  api: ClusterApi,
  plan: KubernetesPlan,
  { pod, since, now = Date.now() }: { readonly pod: Pod; readonly since: StuckSince; readonly now?: number },
): Promise<void> {
  if (pod.kind !== "StatefulSet") return;
  const { namespace } = plan.deployment.kubernetes;
  const set = await api.get(`${collectionPath("apps/v1", "StatefulSet", namespace)}/${pod.name}`);
  const { metadata, status } = (set ?? {}) as Partial<V1StatefulSet>;
  const { updateRevision } = status ?? {};
  // Until its controller has looked at it, nobody knows which revision is the newest.
  if (updateRevision === undefined || (status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return;
  for (const one of await podsOf(api, plan, pod)) {
    const { name = "", uid = "", labels = {}, deletionTimestamp } = one.metadata ?? {};
    const isOld = labels["controller-revision-hash"] !== updateRevision;
    if (!isOld || isReady(one) || hasEnded(one) || deletionTimestamp !== undefined) {
      since.delete(uid);
      continue;
    }
    const seen = since.get(uid) ?? now;
    since.set(uid, seen);
    // By its uid: another one may have its name by now.
    if (now - seen >= STUCK_MS) await api.remove(`${collectionPath("v1", "Pod", namespace)}/${name}`, uid);
  }
}
