import type { Component } from "../../../../model/component.ts";
import type { ClusterApi } from "../../../../stacks/kubernetes/life/api.ts";
import { isRunning, podsOf } from "../../../../stacks/kubernetes/life/pods-running.ts";
import { conditionOf } from "../../../../stacks/kubernetes/life/status.ts";
import type { KubernetesPlan } from "../../../../stacks/kubernetes/plan.ts";
import type { Sighting } from "../../data/unwell.ts";
import type { SeenPod } from "./observation.ts";

/** The pods of a deployment at one moment. */
export interface SeenPods {
  /** Those that run. */
  readonly pods: readonly SeenPod[];
  /** By component, how it is, and which containers of which pods it is. */
  readonly components: ReadonlyMap<string, Sighting & { readonly container: SeenContainer | undefined }>;
}

interface SeenContainer {
  readonly Id: string;
  readonly State: {
    readonly Running: boolean;
    readonly Status: string;
    readonly StartedAt: string;
    readonly Pid: number;
  };
}

/** Asks the API server for every pod of the plan. @throws CLUSTER_UNREACHABLE, CLUSTER_DENIED */
export async function seePods(api: ClusterApi, plan: KubernetesPlan): Promise<SeenPods> {
  const all = await Promise.all(plan.pods.map(async (pod) => ({ pod, live: await podsOf(api, plan, pod) })));
  return {
    pods: all.flatMap(({ pod, live }) =>
      live.filter(isRunning).map((one) => ({ name: one.metadata?.name ?? "", pod, live: one })),
    ),
    components: new Map(
      all.flatMap(({ pod, live }) =>
        pod.components.map((component) => [component.name, sighting(pod, component, live)] as const),
      ),
    ),
  };
}

function sighting(pod: SeenPod["pod"], { name }: Component, live: readonly SeenPod["live"][]) {
  const condition = conditionOf(pod, name, live);
  const running = live.filter(isRunning);
  const of = running.flatMap(({ status }) => status?.containerStatuses?.filter((one) => one.name === name) ?? []);
  const started = of.flatMap(({ state }) => (state?.running === undefined ? [] : [String(state.running.startedAt)]));
  const container = {
    Id: of
      .map(({ containerID = "" }) => containerID)
      .sort()
      .join(" "),
    State: {
      Running: started.length > 0,
      Status: started.length > 0 ? "running" : "exited",
      StartedAt: started.sort().join(" "),
      Pid: 0,
    },
  };
  return { condition, container: of.length === 0 ? undefined : container };
}
