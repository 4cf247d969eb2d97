import type { Finding } from "../../../shared/finding.ts";
import { checkRendered } from "../check/index.ts";
import type { PlannedObject } from "../objects.ts";
import { collectionPath, type LiveObject, objectPath } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { stranger, withFix } from "./fixes.ts";
import { type Looked, type LookOptions, podDifferences } from "./pod-differences.ts";
import { isObserved } from "./revisions.ts";
import { withoutDefaults } from "./server-defaults.ts";
import { type LiveWorkloads, liveWorkloads } from "./workloads-live.ts";

type Subject = Pick<Cluster, "api" | "plan" | "model" | "options">;

/** Kinds by which somebody could run or reach something in the namespace that the deployment does not know of. */
const STRANGERS: readonly (readonly [apiVersion: string, kind: string, path: string])[] = [
  ["networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"],
  ["apps/v1", "StatefulSet", "statefulsets"],
  ["apps/v1", "Deployment", "deployments"],
  ["apps/v1", "DaemonSet", "daemonsets"],
  ["apps/v1", "ReplicaSet", "replicasets"],
  ["v1", "ReplicationController", "replicationcontrollers"],
  ["batch/v1", "Job", "jobs"],
  ["batch/v1", "CronJob", "cronjobs"],
  ["v1", "Service", "services"],
];

/**
 * Everything in which the namespace is not what the plan says: objects that are missing, changed or nobody's, and pods that are not,
 * member by member, what their workload in the plan makes. Changes nothing.
 * @throws CLUSTER_UNSETTLED where updates are left out, nothing else is found, and something was about to change: look again
 */
export async function clusterDifferences(subject: Subject, look: LookOptions = {}): Promise<readonly Finding[]> {
  const { api, plan } = subject;
  const { namespace } = plan.deployment.kubernetes;
  const changed = await changedObjects(subject);
  const pods = await api.list(collectionPath("v1", "Pod", namespace));
  const objects: LiveObject[] = [];
  for (const [apiVersion, , plural] of STRANGERS) {
    const root = apiVersion.includes("/") ? "/apis" : "/api";
    objects.push(...(await api.list(`${root}/${apiVersion}/namespaces/${namespace}/${plural}`)));
  }
  const workloads = liveWorkloads(objects, plan);
  const nobodys = strangers(objects, workloads, subject, look);
  const inPods = podDifferences(pods, workloads, plan, look);
  const findings = [...changed, ...nobodys.findings, ...inPods.findings];
  const unsettled = [...unobserved(workloads, look), ...nobodys.unsettled, ...inPods.unsettled];
  if (findings.length > 0 || unsettled.length === 0) return findings;
  throw kubernetesLifeErrors.error("CLUSTER_UNSETTLED", `something is about to change: ${unsettled.join("; ")}`, {
    path: unsettled[0]?.split(":")[0],
  });
}

async function changedObjects({ api, plan, model, options }: Subject): Promise<readonly Finding[]> {
  const live: PlannedObject[] = [];
  for (const object of plan.objects) {
    const found = await api.get(objectPath(object));
    // An object of our check is told by what it says, whoever has put it there.
    if (found !== undefined) live.push(withoutDefaults(found, object) as unknown as PlannedObject);
  }
  const { deployment, images } = options;
  const { namespace } = deployment.kubernetes;
  return checkRendered(live, { model, deployment, images }).map((one) => withFix(one, plan.objects, namespace));
}

/** What is not in the plan, whomever it says that it belongs to: but for the sets of replicas of the plan's Deployments. */
function strangers(
  objects: readonly LiveObject[],
  workloads: LiveWorkloads,
  { plan }: Subject,
  { replacing = false }: LookOptions,
): Looked {
  const planned = new Set(plan.objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const found = objects
    .map((object) => ({ object, path: `${object.kind}/${object.metadata.name}` }))
    .filter(({ object, path }) => !planned.has(path) && workloads.makerOf(object) === undefined);
  const goes = replacing ? found.filter(({ object }) => workloads.isEnding(object)) : [];
  const stays = found.filter((one) => !goes.includes(one));
  return {
    findings: stays.map(({ path }) => stranger(path, plan.deployment.kubernetes.namespace)),
    unsettled: goes.map(({ path }) => `${path}: it still ends`),
  };
}

function unobserved({ planned }: LiveWorkloads, { replacing = false }: LookOptions): readonly string[] {
  return planned
    .filter((workload) => replacing && !isObserved(workload))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}: its controller has not looked at the new version yet`);
}
