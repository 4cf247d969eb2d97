import { beforeEach, describe, expect, it } from "vitest";
import type { Pod } from "../pods.ts";
import { waitsFor } from "./rollout.ts";
import { endStuck, type StuckSince } from "./stuck-pods.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";
import { madePod, type PodChange } from "./test-pods.ts";

const { plan } = tenantPlan();
const custody = plan.pods.find(({ name }) => name === "custody") as Pod;
const SET = "/apis/apps/v1/namespaces/plant/statefulsets/custody";
const POD = "/api/v1/namespaces/plant/pods/custody-0";
const READY = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };

let made: TestCluster;
let since: StuckSince;
beforeEach(() => {
  made = deployedCluster({ plan });
  since = new Map();
  made.edit(SET, (live: { metadata: object; status: object }) => {
    live.metadata = { ...live.metadata, generation: 2 };
    live.status = { observedGeneration: 2, updateRevision: "new", currentRevision: "old", updatedReplicas: 0 };
  });
});
const put = (revision: string, more: PodChange = {}): void =>
  made.put(madePod(made, plan, "custody-0", { revision, ...more }));
const look = (now: number) => endStuck(made.api, plan, { pod: custody, since, now });
const ended = () => made.asked.filter((each) => each.startsWith("DELETE "));

describe("a pod that hinders its own update", () => {
  it("is ended once it was seen for 10 s, and not before", async () => {
    put("old");
    await look(0);
    await look(9_999);
    expect(ended()).toEqual([]);
    await look(10_000);
    expect([ended(), made.objects.has(POD)]).toEqual([[`DELETE ${POD}`], false]);
  });

  it.each<readonly [string, () => void]>([
    ["it is of the new version", () => put("new")],
    ["it is ready, and its controller takes it away", () => put("old", { status: READY })],
    [
      "it ends already",
      () =>
        put("old", { metadata: { name: "custody-0", namespace: "plant", deletionTimestamp: "2026-11-23T00:00:00Z" } }),
    ],
    ["it has ended", () => put("old", { status: { phase: "Failed" } })],
    [
      "its controller has not looked at the new version",
      () => {
        put("old");
        made.edit(SET, (live: { status: { observedGeneration: number } }) => {
          live.status.observedGeneration = 1;
        });
      },
    ],
    [
      "its workload is not there",
      () => {
        put("old");
        made.objects.delete(SET);
      },
    ],
  ])("is none where %s", async (_, make) => {
    make();
    for (const now of [0, 10_000, 100_000]) await look(now);
    expect(ended()).toEqual([]);
  });

  it("is seen anew once it was ready in between", async () => {
    put("old");
    await look(0);
    put("old", { status: READY });
    await look(9_000);
    put("old");
    await look(12_000);
    expect(ended()).toEqual([]);
  });

  it("is not mistaken for the one that has its name by then", async () => {
    put("old");
    await look(0);
    made.objects.delete(POD);
    put("old");
    await look(10_000);
    expect(ended()).toEqual([]);
  });

  it("is none of a Deployment, whose controller makes the new one beside it", async () => {
    put("old");
    for (const now of [0, 10_000])
      await endStuck(made.api, plan, { pod: { ...custody, kind: "Deployment" }, since, now });
    expect(ended()).toEqual([]);
  });
});

describe("what no waiting mends", () => {
  const hopeless = {
    phase: "Pending",
    containerStatuses: [{ name: "custody", state: { waiting: { reason: "ErrImagePull" } } }],
  };

  it("in a pod of the version before is about to be over", async () => {
    put("old", { status: hopeless });
    expect(await waitsFor(made.api, plan, custody)).toBe("0 of 1 are of the new version");
  });

  it("in a pod of the new version ends the wait", async () => {
    put("new", { status: hopeless });
    await expect(waitsFor(made.api, plan, custody)).rejects.toMatchObject({ code: "WORKLOAD_FAILED", path: "custody" });
  });
});
