import type { V1Pod, V1PodStatus } from "@kubernetes/client-node";
import { selectorLabels } from "../labels.ts";
import type { KubernetesPlan } from "../plan.ts";
import type { Pod } from "../pods.ts";
import { podNamed } from "../pods.ts";
import type { ClusterApi, LiveObject } from "./api.ts";
import { collectionPath } from "./api.ts";
import { type FindPod, podUnreachable } from "./forward.ts";

/** The pods that the cluster runs for one of the plan. */
export async function podsOf(
  api: ClusterApi,
  { deployment }: Pick<KubernetesPlan, "deployment">,
  pod: Pick<Pod, "name">,
): Promise<readonly V1Pod[]> {
  const path = collectionPath("v1", "Pod", deployment.kubernetes.namespace);
  return (await api.list(path, { ...selectorLabels(deployment, pod.name) })).map(asPod);
}

/** An object of kind Pod. */
export function asPod(object: LiveObject): V1Pod {
  return object as unknown as V1Pod;
}

/** Whether a pod runs and nobody has told it to end. */
export function isRunning({ metadata, status }: V1Pod): boolean {
  return status?.phase === "Running" && metadata?.deletionTimestamp === undefined;
}

/** Whether nothing of a pod runs any more, such as one that was evicted. One that is told to end may still run for as long as it was given. */
export function hasEnded({ status }: V1Pod): boolean {
  return status?.phase === "Failed" || status?.phase === "Succeeded";
}

/** Whether all containers of a pod are ready. */
export function isReady({ status }: { readonly status?: V1PodStatus }): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
}

/**
 * The container of a component in one of its pods that runs: in that with the ordinal, or in any, of which one that is ready is
 * preferred.
 */
export function finderOf(api: ClusterApi, plan: KubernetesPlan, component: string, ordinal?: number): FindPod {
  return async () => {
    const pod = podNamed(plan.pods, component);
    if (pod === undefined) throw podUnreachable(component, "it runs elsewhere, or is no component of the deployment");
    const all = (await podsOf(api, plan, pod)).filter(isRunning);
    const running =
      ordinal === undefined ? all : all.filter(({ metadata }) => metadata?.name === `${pod.name}-${ordinal}`);
    const found = running.find(isReady) ?? running[0];
    const name = found?.metadata?.name;
    if (name === undefined)
      throw podUnreachable(
        component,
        ordinal === undefined ? "none of its pods runs" : `its pod ${pod.name}-${ordinal} does not run`,
      );
    return { namespace: plan.deployment.kubernetes.namespace, pod: name, container: component };
  };
}
