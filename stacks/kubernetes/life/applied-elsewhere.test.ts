import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { layoutOf } from "../../host/layout.ts";
import { objectPath } from "./api.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";
import { madePod } from "./test-pods.ts";
import { type UnsealAllRequest, unsealAll } from "./unseal-all.ts";

const test = tenantPlan();
const SET = "/apis/apps/v1/namespaces/plant/statefulsets/custody";
const budget = test.plan.objects.find(({ kind }) => kind === "PodDisruptionBudget");
if (budget === undefined) throw new TypeError("no budget");
const folders: string[] = [];
afterEach(() => {
  for (const each of folders.splice(0)) rmSync(each, { recursive: true });
});
// biome-ignore lint/suspicious/noExplicitAny: status is what a controller writes
type Loose = any;

/** Custody runs in a cluster that has what was planned. */
function running(): TestCluster {
  const cluster = deployedCluster(test);
  cluster.edit(SET, (live: Loose) => {
    live.metadata.generation = 1;
    live.status = { observedGeneration: 1, currentRevision: "new", updateRevision: "new" };
  });
  cluster.put(madePod(cluster, test.plan, "custody-0"));
  return cluster;
}

const OPEN = "the gate is open";
const NEVER = new AbortController().signal;

/** Unseals, but for the call to custody: where the gate opens, that is what it fails with. */
function unseal(made: TestCluster, patient: boolean, limitMs: number, { signal = NEVER, opens = true } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "tk-patient-"));
  folders.push(dir);
  const request = {
    cluster: { ...test, api: made.api, options: test, layout: layoutOf(dir, dir) },
    forwards: {
      replica: () => {
        if (opens) throw new TypeError(OPEN);
        return join(dir, "custody.sock");
      },
    },
    ...{ actor: "test", passphrase: undefined, clock: () => new Date(0), onUnsealed: () => undefined },
    ...{ patient, limitMs, signal },
  };
  return unsealAll(request as unknown as UnsealAllRequest);
}

const stranger = (kind: string, name: string) =>
  ({ apiVersion: "apps/v1", kind, metadata: { name, namespace: "plant" } }) as const;

describe("what others apply", () => {
  it.each<readonly [string, (cluster: TestCluster) => void, (cluster: TestCluster) => void]>([
    [
      "a budget that is late",
      (cluster) => cluster.objects.delete(objectPath(budget as never)),
      (cluster) => cluster.put(budget as never),
    ],
    [
      "a workload of the version before",
      (cluster) => cluster.edit(SET, (live: Loose) => (live.spec.minReadySeconds = 1)),
      (cluster) => cluster.edit(SET, (live: Loose) => (live.spec.minReadySeconds = 5)),
    ],
    [
      "a workload that is pruned at the end",
      (cluster) => cluster.put(stranger("Deployment", "gw-09")),
      (cluster) => cluster.objects.delete("/apis/apps/v1/namespaces/plant/deployments/gw-09"),
    ],
  ])("is waited for: %s", async (_, before, after) => {
    const cluster = running();
    before(cluster);
    const unsealing = expect(unseal(cluster, true, 20_000)).rejects.toThrow(OPEN);
    await sleep(700);
    after(cluster);
    await unsealing;
  });

  it("is refused when the limit is over, with all of it", async () => {
    const cluster = running();
    cluster.objects.delete(objectPath(budget as never));
    cluster.put(stranger("Deployment", "miner"));
    cluster.edit(SET, (live: Loose) => (live.spec.template.spec.hostNetwork = true));
    const started = Date.now();
    await expect(unseal(cluster, true, 600, { opens: false })).rejects.toMatchObject({
      code: "CUSTODY_START_REFUSED",
      cause: expect.arrayContaining([
        expect.objectContaining({ path: `PodDisruptionBudget/${budget.metadata.name}` }),
        expect.objectContaining({ path: "Deployment/miner" }),
        expect.objectContaining({ path: "StatefulSet/custody.spec.template.spec.hostNetwork" }),
      ]),
    });
    expect(Date.now() - started).toBeGreaterThan(600);
  });

  it("is waited for no longer than somebody wants", async () => {
    const cluster = running();
    cluster.put(stranger("Deployment", "miner"));
    const interrupted = unseal(cluster, true, 60_000, { signal: AbortSignal.timeout(300) });
    await expect(interrupted).rejects.toMatchObject({ code: "DEPLOY_CANCELLED" });
  });
});

describe("what this command line applies", () => {
  it("is refused at once where it is not as planned", async () => {
    const cluster = running();
    cluster.put(stranger("Deployment", "miner"));
    await expect(unseal(cluster, false, 60_000, { opens: false })).rejects.toMatchObject({
      code: "CUSTODY_START_REFUSED",
    });
  });

  it("is looked at again while its controllers have not looked at it", async () => {
    const cluster = running();
    const other = "/apis/apps/v1/namespaces/plant/statefulsets/collector";
    cluster.edit(other, (live: Loose) => (live.metadata.generation = 2));
    const unsealing = expect(unseal(cluster, false, 20_000)).rejects.toThrow(OPEN);
    await sleep(700);
    cluster.edit(other, (live: Loose) => (live.status = { observedGeneration: 2 }));
    await unsealing;
    cluster.edit(other, (live: Loose) => (live.metadata.generation = 3));
    await expect(unseal(cluster, false, 100)).rejects.toMatchObject({
      code: "WORKLOAD_TIMEOUT",
      message: expect.stringContaining("StatefulSet/collector"),
    });
  });
});
