import { deploymentLabels } from "../labels.ts";
import { podNamed } from "../pods.ts";
import { type ApiObject, collectionPath } from "./api.ts";
import { applyObject, markFor, SECRET_VERSION } from "./apply.ts";
import type { Cluster } from "./cluster.ts";
import { ownNamespace } from "./deployed-to.ts";
import { assertNamespace } from "./preflight.ts";
import { untilReady } from "./rollout.ts";
import { secretObjects } from "./secrets.ts";

/** Longest wait for a workload that starts anew, in milliseconds. */
const START_MS = 180_000;

/**
 * Writes every Secret of the deployment that is not as the secret store of this machine has it.
 * @throws CLUSTER_OTHER, NAMESPACE_FOREIGN before anything is written
 */
export async function applySecrets(
  cluster: Pick<Cluster, "api" | "config" | "layout" | "model" | "plan">,
): Promise<void> {
  const { api, layout, model, plan } = cluster;
  // The kubeconfig may name another cluster than at the deploy.
  await ownNamespace(cluster);
  await assertNamespace(api, plan);
  for (const object of secretObjects({ layout, model, plan })) await applyObject(api, object);
}

/** Version of the Secret of each component that has one, as the cluster has it. */
export async function secretVersions({
  api,
  plan,
}: Pick<Cluster, "api" | "plan">): Promise<ReadonlyMap<string, string>> {
  const path = collectionPath("v1", "Secret", plan.deployment.kubernetes.namespace);
  const live = await api.list(path, { ...deploymentLabels(plan.deployment) });
  return new Map(live.map(({ metadata: { name, resourceVersion = "" } }) => [name, resourceVersion]));
}

/** Whose the mark is by which pods start anew: the rest of the workload stays whose it is, such as GitOps'. */
const MARKER = "trustkern-secrets";

/**
 * Starts the pods of a component anew, one after the other, with its Secret as it is now, and waits until they are ready. Nothing else of
 * its workload is changed.
 * @throws CLUSTER_OTHER before anything is written, WORKLOAD_FAILED, WORKLOAD_TIMEOUT
 */
export async function startAnew(cluster: Cluster, component: string): Promise<void> {
  const { api, plan, options } = cluster;
  const pod = podNamed(plan.pods, component);
  const workload = plan.objects.find(({ kind, metadata }) => kind === pod?.kind && metadata.name === pod?.name);
  if (pod === undefined || workload === undefined) return;
  await ownNamespace(cluster);
  const mark = markFor(pod.components, await secretVersions(cluster));
  if (mark !== undefined) {
    const { apiVersion, kind, metadata } = workload;
    const { name, namespace } = metadata;
    const spec = { template: { metadata: { annotations: { [SECRET_VERSION]: mark } } } };
    await api.apply({ apiVersion, kind, metadata: { name, namespace }, spec } as ApiObject, { fieldManager: MARKER });
  }
  await untilReady({ api, plan, pods: [pod], limitMs: START_MS, signal: options.signal, onReady: () => undefined });
}
