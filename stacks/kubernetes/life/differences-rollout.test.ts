import { describe, expect, it } from "vitest";
import { clusterDifferences } from "./differences.ts";
import { onceSettled } from "./settled.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";
import { madePod, type PodChange } from "./test-pods.ts";

const test = tenantPlan();
const look = (cluster: TestCluster, how = {}) =>
  clusterDifferences({ api: cluster.api, plan: test.plan, model: test.model, options: test as never }, how);
const SET = "/apis/apps/v1/namespaces/plant/statefulsets/collector";
const REPLACING = { replacing: true };
// biome-ignore lint/suspicious/noExplicitAny: status is what a controller writes
type Loose = any;

/** Collectors of which an update goes from `old` to `new`, unless something else is said. */
function rolling(status: object = {}, generation = 2): TestCluster {
  const cluster = deployedCluster(test);
  cluster.edit(SET, (live: Loose) => {
    live.metadata.generation = generation;
    live.status = { observedGeneration: 2, currentRevision: "old", updateRevision: "new", ...status };
  });
  return cluster;
}
const OLD_SPEC = { spec: { hostAliases: [{ ip: "10.0.0.1" }] } };
function put(cluster: TestCluster, name: string, change: PodChange): void {
  cluster.put(madePod(cluster, test.plan, name, change));
}
const again = (of: string) => ({ code: "CLUSTER_UNSETTLED", exit: 9, message: expect.stringContaining(of) });

describe("a pod of the version before", () => {
  const old = (cluster: TestCluster, change: PodChange = OLD_SPEC): TestCluster => {
    put(cluster, "collector-0", { revision: "old", ...change });
    return cluster;
  };

  it("is left out while an update takes it away, and only by whoever unseals", async () => {
    expect(await look(old(rolling()), REPLACING)).toEqual([]);
    expect(await look(old(rolling()))).not.toEqual([]);
  });

  it("is left out by everybody once it is told to end, while the update is under way", async () => {
    const ending = { ...OLD_SPEC, revision: "old" };
    for (const how of [{}, REPLACING]) {
      const cluster = old(rolling(), ending);
      cluster.edit("/api/v1/namespaces/plant/pods/collector-0", (live: Loose) => {
        live.metadata.deletionTimestamp = "2030-01-01T00:00:00Z";
      });
      expect(await look(cluster, how)).toEqual([]);
      cluster.edit(SET, (live: Loose) => {
        live.status.currentRevision = "new";
      });
      if (how === REPLACING) await expect(look(cluster, how)).rejects.toMatchObject(again("Pod/collector-0"));
      else expect(await look(cluster, how)).not.toEqual([]);
    }
  });

  it("is not left out where no update is under way, or it is the one that would be unsealed", async () => {
    expect(await look(old(rolling({ currentRevision: "new" })), REPLACING)).not.toEqual([]);
    const unsealing = { replacing: true, unsealing: "collector-0" };
    await expect(look(old(rolling()), unsealing)).rejects.toMatchObject(again("the update under way replaces it"));
  });

  it("is not left out with what no version has", async () => {
    for (const spec of [{ ephemeralContainers: [{ name: "debug" }] }, { initContainers: [{ name: "first" }] }])
      expect(await look(old(rolling(), { spec }), REPLACING)).not.toEqual([]);
  });

  it("is not of a workload by a label that another's update has", async () => {
    const cluster = rolling();
    put(cluster, "backend-0", { revision: "old", ...OLD_SPEC });
    expect(await look(cluster, REPLACING)).not.toEqual([]);
  });

  it("and the one before that is looked at again", async () => {
    await expect(look(old(rolling(), { ...OLD_SPEC, revision: "older" }), REPLACING)).rejects.toMatchObject(
      again("before the last two"),
    );
  });
});

describe("an update that its controller has not looked at", () => {
  it("is neither a finding nor well: it is looked at again", async () => {
    const cluster = rolling({ currentRevision: "old", updateRevision: "old" }, 3);
    put(cluster, "collector-0", { revision: "old", ...OLD_SPEC });
    await expect(look(cluster, REPLACING)).rejects.toMatchObject(again("StatefulSet/collector"));
    // Its pods may be as planned already: what comes next is not known.
    await expect(look(rolling({}, 3), REPLACING)).rejects.toMatchObject(again("StatefulSet/collector"));
    await expect(look(rolling({ observedGeneration: undefined }), REPLACING)).rejects.toMatchObject(
      again("StatefulSet/collector"),
    );
  });

  it("hides no stranger", async () => {
    const cluster = rolling({}, 3);
    cluster.put({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "miner", namespace: "plant" } });
    expect((await look(cluster, REPLACING)).map(({ path }) => path)).toEqual(["Deployment/miner"]);
  });

  it("is nothing to who does not unseal", async () => {
    expect(await look(rolling({}, 3))).toEqual([]);
  });
});

describe("what was removed with an earlier version", () => {
  it("is waited for while the cluster takes it away, and is a stranger to everybody else", async () => {
    const cluster = deployedCluster(test);
    const owner = [{ kind: "StatefulSet", name: "gw-09", uid: "uid-gone", controller: true }];
    put(cluster, "backend-0", { metadata: { name: "gw-09-0", namespace: "plant", ownerReferences: owner } });
    await expect(look(cluster, REPLACING)).rejects.toMatchObject(again("Pod/gw-09-0: it still ends"));
    expect((await look(cluster)).map(({ path }) => path)).toEqual(["Pod/gw-09-0"]);
  });

  it("is what a kind has made that the namespace was looked at for, and nothing of another", async () => {
    const cluster = deployedCluster(test);
    const owner = [{ kind: "Workflow", name: "w", uid: "uid-w", controller: true }];
    put(cluster, "backend-0", { metadata: { name: "rogue", namespace: "plant", ownerReferences: owner } });
    expect((await look(cluster, REPLACING)).map(({ path }) => path)).toEqual(["Pod/rogue"]);
  });
});

describe("who unseals a pod by its name", () => {
  it("waits for it where it does not run", async () => {
    const unsealing = { replacing: true, unsealing: "custody-0" };
    await expect(look(deployedCluster(test), unsealing)).rejects.toMatchObject(again("Pod/custody-0: it does not run"));
  });
});

describe("looking again", () => {
  const signal = new AbortController().signal;

  it("ends with what is found once the update was looked at", async () => {
    const cluster = rolling({}, 3);
    const wait = onceSettled(() => look(cluster, REPLACING), { limitMs: 10_000, signal });
    cluster.edit(SET, (live: Loose) => {
      live.status.observedGeneration = 3;
    });
    expect(await wait).toEqual([]);
  });

  it("ends with its limit, with a signal, and at once with any other error", async () => {
    const stuck = () => look(rolling({}, 3), REPLACING);
    await expect(onceSettled(stuck, { limitMs: -1, signal })).rejects.toMatchObject(again("collector"));
    await expect(onceSettled(stuck, { limitMs: 60_000, signal: AbortSignal.abort() })).rejects.toMatchObject(
      again("collector"),
    );
    const broken = async () => {
      throw new TypeError("x");
    };
    await expect(onceSettled(broken, { limitMs: 60_000, signal })).rejects.toThrow("x");
  });
});
