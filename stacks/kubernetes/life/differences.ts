import type { V1Pod, V1PodSpec, V1StatefulSet } from "@kubernetes/client-node";
import type { Finding } from "../../../shared/finding.ts";
import { checkRendered } from "../check/index.ts";
import type { PlannedObject } from "../objects.ts";
import { type Pod, podNamed } from "../pods.ts";
import { collectionPath, type LiveObject, objectPath } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { asPod, isRunning } from "./pods-running.ts";
import { withoutDefaults } from "./server-defaults.ts";

type Looked = Pick<Cluster, "api" | "plan" | "model" | "options">;

/** Kinds by which somebody could run or reach something in the namespace that the deployment does not know of. */
const STRANGERS: readonly (readonly [apiVersion: string, kind: string, path: string])[] = [
  ["networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"],
  ["apps/v1", "StatefulSet", "statefulsets"],
  ["apps/v1", "Deployment", "deployments"],
  ["apps/v1", "DaemonSet", "daemonsets"],
  ["apps/v1", "ReplicaSet", "replicasets"],
  ["batch/v1", "Job", "jobs"],
  ["batch/v1", "CronJob", "cronjobs"],
  ["v1", "Service", "services"],
];

/**
 * Everything in which the namespace is not what the plan says: objects that are missing, changed or nobody's, pods that run something
 * else than their workload says, and what was put into a pod that runs. Changes nothing.
 */
export async function clusterDifferences(
  looked: Looked,
  { replacing = false }: { readonly replacing?: boolean } = {},
): Promise<readonly Finding[]> {
  const { api, plan, model, options } = looked;
  const live: PlannedObject[] = [];
  for (const object of plan.objects) {
    const found = await api.get(objectPath(object));
    // An object of our check is told by what it says, whoever has put it there.
    if (found !== undefined) live.push(withoutDefaults(found, object) as unknown as PlannedObject);
  }
  return [
    ...checkRendered(live, { model, deployment: options.deployment, images: options.images }),
    ...(await strangers(looked)),
    ...(await podDifferences(looked, replacing)),
  ];
}

async function strangers({ api, plan }: Looked): Promise<readonly Finding[]> {
  const { namespace } = plan.deployment.kubernetes;
  const planned = new Set(plan.objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const found: Finding[] = [];
  for (const [apiVersion, kind, plural] of STRANGERS) {
    const path = `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}/namespaces/${namespace}/${plural}`;
    for (const object of await api.list(path)) {
      const { name } = object.metadata;
      if (!planned.has(`${kind}/${name}`) && !isOwned(object)) found.push(stranger(`${kind}/${name}`));
    }
  }
  return found;
}

/** Of a workload that is looked at itself. */
function isOwned({ metadata }: LiveObject): boolean {
  const { ownerReferences = [] } = metadata as { readonly ownerReferences?: readonly object[] };
  return ownerReferences.length > 0;
}

function stranger(path: string): Finding {
  const message = "is in the namespace, and nothing of the deployment";
  return { code: "OBJECT_STRANGER", path, message, fix: `find out who made it; kubectl delete ${path} removes it` };
}

async function podDifferences({ api, plan }: Looked, replacing: boolean): Promise<readonly Finding[]> {
  const { namespace } = plan.deployment.kubernetes;
  const sets = replacing ? await api.list(collectionPath("apps/v1", "StatefulSet", namespace)) : [];
  const goes = sets.flatMap(replacedRevision);
  const pods = (await api.list(collectionPath("v1", "Pod", namespace))).map(asPod);
  return pods.filter(isRunning).flatMap((live) => {
    if (goes.includes(live.metadata?.labels?.["controller-revision-hash"] ?? "")) return [];
    const component = live.metadata?.labels?.["trustkern.component"] ?? "";
    const pod = podNamed(plan.pods, component);
    const name = live.metadata?.name ?? "";
    if (pod === undefined || (live.metadata?.ownerReferences ?? []).length === 0) return [stranger(`Pod/${name}`)];
    return ofPod(live, pod, plan.objects);
  });
}

/** The revision whose pods a rolling update takes away. */
function replacedRevision(set: LiveObject): readonly string[] {
  const { currentRevision = "", updateRevision = "" } = (set as unknown as V1StatefulSet).status ?? {};
  return currentRevision === updateRevision ? [] : [currentRevision];
}

/** What an admission webhook or a debugger has put into a pod is not in its workload. */
function ofPod({ metadata, spec }: V1Pod, pod: Pod, objects: readonly PlannedObject[]): readonly Finding[] {
  const workload = objects.find(
    ({ kind, metadata: { name } }) => kind === pod.kind && (name === pod.name || kind === "Job"),
  );
  const template = (workload as { readonly spec?: { readonly template?: { readonly spec?: V1PodSpec } } } | undefined)
    ?.spec?.template?.spec;
  const path = `Pod/${metadata?.name}`;
  const planned = new Map(template?.containers.map(({ name, image }) => [name, image]));
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])];
  return all.flatMap(({ name, image }) => {
    const at = `${path}.containers.${name}`;
    const fix = "find out who put it there; kubectl delete the pod, and the workload makes it anew";
    if (!planned.has(name))
      return [{ code: "OBJECT_STRANGER", path: at, message: `runs "${image}", and is none of the component's`, fix }];
    if (planned.get(name) === image) return [];
    return [{ code: "OBJECT_IMAGE", path: at, message: `runs "${image}"; accepted: "${planned.get(name)}"`, fix }];
  });
}
