import type { V1Pod } from "@kubernetes/client-node";
import type { Component } from "../../../model/component.ts";
import type { Condition } from "../../docker/life/health.ts";
import { type ComponentState, custodyStatus, type StatusReport } from "../../docker/life/status.ts";
import { type Pod, podNamed } from "../pods.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { clusterDifferences } from "./differences.ts";
import { openForwards } from "./forwards.ts";
import type { ClusterOptions } from "./options.ts";
import { podsOf } from "./pods-running.ts";
import { assertDeployed } from "./site.ts";

/**
 * How every component of a deployment in a cluster is, and what was changed by hand.
 * @throws NOT_DEPLOYED, KUBECONFIG_INVALID, CLUSTER_UNREACHABLE, CLUSTER_DENIED
 */
export async function statusCluster(options: ClusterOptions): Promise<StatusReport> {
  const cluster = await openCluster(options);
  assertDeployed(cluster);
  const { model, plan } = cluster;
  const { deployment } = options;
  await using forwards = await openForwards(cluster);
  const drift = (await clusterDifferences(cluster)).map(({ path, message }) => `${path}: ${message}`);
  const own = model.components.filter(({ name }) => podNamed(plan.pods, name) !== undefined);
  const components = await Promise.all(own.map((component) => stateOf(cluster, component)));
  return {
    schema: "trustkern.status/1",
    deployment: deployment.name,
    tenant: deployment.tenant,
    profile: deployment.profile,
    ok: drift.length === 0 && components.every(({ condition }) => condition === "healthy" || condition === "done"),
    components,
    absent: deployment.images.grafana === "absent" ? ["grafana"] : [],
    elsewhere: model.components.filter(({ external }) => external !== undefined).map(({ name }) => name),
    drift,
    custody: await custodyStatus(deployment, forwards.socket("custody", "control")),
  };
}

async function stateOf({ api, plan }: Cluster, { name, zone, image = "" }: Component): Promise<ComponentState> {
  const pod = podNamed(plan.pods, name);
  const live = pod === undefined ? [] : await podsOf(api, plan, pod);
  const own = live.flatMap(({ status }) => status?.containerStatuses?.filter((one) => one.name === name) ?? []);
  const starts = own.flatMap(({ state }) => new Date(state?.running?.startedAt ?? "").getTime() || []);
  return {
    name,
    zone,
    condition: pod === undefined ? "missing" : conditionOf(pod, name, live),
    image: own[0]?.image ?? image,
    startedAt: starts.length === 0 ? null : new Date(Math.min(...starts)).toISOString(),
    restarts: own.reduce((sum, { restartCount }) => sum + restartCount, 0),
    drift: [],
  };
}

/** How a component is, by the pods of its workload that there are. */
export function conditionOf({ kind, replicas }: Pod, component: string, live: readonly V1Pod[]): Condition {
  if (kind === "Job") {
    if (live.some(({ status }) => status?.phase === "Succeeded")) return "done";
    return live.some(({ status }) => status?.phase === "Failed")
      ? "unhealthy"
      : live.length > 0
        ? "starting"
        : "missing";
  }
  const of = live.flatMap(({ status }) => status?.containerStatuses?.filter(({ name }) => name === component) ?? []);
  const ready = of.filter((one) => one.ready).length;
  if (ready >= replicas) return "healthy";
  if (of.length === 0) return live.length > 0 ? "starting" : "missing";
  return of.some(({ restartCount, ready: is }) => !is && restartCount > 0) ? "unhealthy" : "starting";
}
