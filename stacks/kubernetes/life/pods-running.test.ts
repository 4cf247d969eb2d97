import { describe, expect, it } from "vitest";
import type { KubernetesPlan } from "../plan.ts";
import { finderOf, isReady, isRunning, podsOf } from "./pods-running.ts";
import { roomyCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";

const { plan } = tenantPlan();
const READY = [{ type: "Ready", status: "True" }];

interface Played {
  readonly name: string;
  readonly component?: string;
  readonly deployment?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly ends?: boolean;
}

function clusterWith(...pods: readonly Played[]): TestCluster {
  const made = roomyCluster();
  for (const { name, component = "collector", deployment = "demo", phase = "Running", ready, ends } of pods) {
    made.put({
      ...{ apiVersion: "v1", kind: "Pod" },
      metadata: {
        ...{ name, namespace: "plant" },
        labels: { "trustkern.deployment": deployment, "trustkern.component": component },
        ...(ends ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
      } as never,
      status: { phase, conditions: ready ? READY : [] },
    });
  }
  return made;
}
const find = (made: TestCluster, component = "collector", ordinal?: number, of: KubernetesPlan = plan) =>
  finderOf(made.api, of, component, ordinal)();

describe("a component's pod", () => {
  it("is one that is ready, where any is", async () => {
    const made = clusterWith({ name: "collector-0" }, { name: "collector-1", ready: true });
    expect(await find(made)).toEqual({ namespace: "plant", pod: "collector-1", container: "collector" });
  });

  it("is one that runs, where none is ready: a sealed custody is asked too", async () => {
    expect(await find(clusterWith({ name: "collector-0" }))).toMatchObject({ pod: "collector-0" });
  });

  it("is that with the ordinal, and no other one that is ready", async () => {
    const made = clusterWith({ name: "collector-0", ready: true }, { name: "collector-1" });
    expect(await find(made, "collector", 1)).toMatchObject({ pod: "collector-1" });
  });

  it("is that which it shares with another component, and its own container there", async () => {
    const made = clusterWith({ name: "custody-0", component: "custody" });
    expect(await find(made, "custody-broker")).toEqual({
      ...{ namespace: "plant", pod: "custody-0", container: "custody-broker" },
    });
  });

  it.each<readonly [string, readonly Played[]]>([
    ["there is none", []],
    ["it waits for a node", [{ name: "collector-0", phase: "Pending" }]],
    ["it has failed", [{ name: "collector-0", phase: "Failed" }]],
    ["it ends", [{ name: "collector-0", ready: true, ends: true }]],
    ["it is another deployment's", [{ name: "collector-0", ready: true, deployment: "other" }]],
    ["it is another component's", [{ name: "collector-0", ready: true, component: "backend" }]],
  ])("cannot be asked where %s", async (_, pods) => {
    await expect(find(clusterWith(...pods))).rejects.toMatchObject({
      ...{ code: "POD_UNREACHABLE", exit: 4, path: "collector", message: "collector: none of its pods runs" },
    });
  });

  it("with an ordinal that does not run is told by its name", async () => {
    await expect(find(clusterWith({ name: "collector-0", ready: true }), "collector", 2)).rejects.toMatchObject({
      message: "collector: its pod collector-2 does not run",
    });
  });

  it.each(["database", "nobody"])("is not looked for where %s is none of the cluster", async (name) => {
    const made = clusterWith({ name: `${name}-0`, component: name, ready: true });
    await expect(find(made, name)).rejects.toMatchObject({ code: "POD_UNREACHABLE", path: name });
    expect(made.asked).toEqual([]);
  });
});

it("pods are those of the deployment's labels alone", async () => {
  const made = clusterWith({ name: "collector-0" }, { name: "collector-1", deployment: "other" });
  const found = await podsOf(made.api, plan, { name: "collector" });
  expect(found.map(({ metadata }) => metadata?.name)).toEqual(["collector-0"]);
});

it.each([
  ["nothing is said", {}, false, false],
  ["it runs", { status: { phase: "Running" } }, true, false],
  [
    "it runs and is not ready",
    { status: { phase: "Running", conditions: [{ type: "Ready", status: "False" }] } },
    true,
    false,
  ],
  ["it is ready", { status: { phase: "Running", conditions: READY } }, true, true],
  ["it has done its work", { status: { phase: "Succeeded", conditions: [] } }, false, false],
])("whether a pod runs, and is ready, is told where %s", (_, pod, runs, ready) => {
  expect([isRunning(pod as never), isReady(pod as never)]).toEqual([runs, ready]);
});
