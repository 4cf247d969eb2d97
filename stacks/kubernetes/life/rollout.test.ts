import { describe, expect, it } from "vitest";
import type { Pod } from "../pods.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { untilReady, waitsFor } from "./rollout.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";

const { plan } = tenantPlan();
const podOf = (name: string): Pod => {
  const pod = plan.pods.find((one) => one.name === name);
  if (pod === undefined) throw new TypeError(`no pod ${name}`);
  return pod;
};
const BACKEND = "/apis/apps/v1/namespaces/plant/statefulsets/backend";

interface Live {
  metadata: { generation?: number };
  spec: { replicas?: number };
  status?: Record<string, unknown>;
}

/** A cluster whose backend's controller says this of it. */
function cluster(status: Record<string, unknown>, generation = 1): TestCluster {
  const made = deployedCluster({ plan });
  made.edit(BACKEND, (live: Live) => {
    live.metadata.generation = generation;
    live.status = { observedGeneration: 1, ...status };
  });
  return made;
}

function pod(made: TestCluster, name: string, containers: readonly object[], phase = "Running"): void {
  made.put({
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: {
      ...{ name, namespace: "plant" },
      labels: { "trustkern.deployment": "demo", "trustkern.component": name.replace(/-\d+$/, "") },
    } as never,
    status: { phase, containerStatuses: containers },
  });
}

const READY = { readyReplicas: 1, updatedReplicas: 1 };
const of = (made: TestCluster, running = false) => waitsFor(made.api, plan, podOf("backend"), running);

describe("a workload", () => {
  it("is waited for no more when every pod is new and ready", async () => {
    expect(await of(cluster(READY))).toBeUndefined();
  });

  it.each<readonly [string, TestCluster, RegExp]>([
    ["nothing looked at yet", cluster(READY, 2), /has not looked/],
    ["a pod of the version before", cluster({ readyReplicas: 1, updatedReplicas: 0 }), /0 of 1 are of the new version/],
    ["a pod that is not ready", cluster({ readyReplicas: 0, updatedReplicas: 1 }), /0 of 1 are ready/],
    ["no word of its pods at all", cluster({}), /0 of 1 are of the new version/],
  ])("is waited for with %s", async (_, made, reason) => {
    expect(await of(made)).toMatch(reason);
  });

  it("is waited for while a pod of the old version still ends", async () => {
    const made = cluster(READY);
    for (const name of ["backend-0", "backend-1"]) pod(made, name, [{ name: "backend", ready: true }]);
    expect(await of(made)).toBe("1 of the old version still end");
  });

  it.each(["Failed", "Succeeded"])("is not waited for a pod that is left as an object, phase %s", async (phase) => {
    const made = cluster(READY);
    pod(made, "backend-0", [{ name: "backend", ready: true }]);
    pod(made, "backend-1", [{ name: "backend", ready: false }], phase);
    expect(await of(made)).toBeUndefined();
  });

  it("is waited for where it is not there", async () => {
    const made = deployedCluster({ plan });
    made.objects.delete(BACKEND);
    expect(await of(made)).toBe("it is not there");
  });

  it("may be enough when one pod of it runs, ready or not", async () => {
    const made = cluster({ readyReplicas: 0, updatedReplicas: 1 });
    expect(await of(made, true)).toBe("1 of 1 are of the new version");
    pod(made, "backend-0", [{ name: "backend", ready: false }]);
    expect(await of(made, true)).toBeUndefined();
  });

  it.each([
    ["ErrImageNeverPull", { state: { waiting: { reason: "ErrImageNeverPull", message: "no image" } } }, /no image/],
    ["CreateContainerConfigError", { state: { waiting: { reason: "CreateContainerConfigError" } } }, /ConfigError/],
    [
      "one that ends each time",
      {
        ...{ restartCount: 7, ready: false, state: { waiting: { reason: "CrashLoopBackOff" } } },
        lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
      },
      /started 8 times, and ended with 137 \(OOMKilled\)/,
    ],
  ])("is given up with %s, with the command that says more", async (_, status, reason) => {
    const made = cluster({ readyReplicas: 0, updatedReplicas: 1 });
    pod(made, "backend-0", [{ name: "backend", ready: false, restartCount: 0, ...status }], "Pending");
    await expect(of(made)).rejects.toMatchObject({
      ...{ code: "WORKLOAD_FAILED", exit: 4, path: "backend" },
      ...{ message: expect.stringMatching(reason), fix: expect.stringContaining("kubectl logs") },
    });
  });

  it("is not given up for a few starts that went wrong", async () => {
    const made = cluster({ readyReplicas: 0, updatedReplicas: 1 });
    const status = { restartCount: 2, ready: false, state: { waiting: { reason: "CrashLoopBackOff" } } };
    pod(made, "backend-0", [{ name: "backend", ...status }], "Pending");
    expect(await of(made)).toMatch(/0 of 1 are ready/);
  });
});

describe("a job", () => {
  const job = plan.objects.find(({ kind }) => kind === "Job");
  const path = `/apis/batch/v1/namespaces/plant/jobs/${job?.metadata.name}`;
  const with_ = (status: object) => {
    const made = deployedCluster({ plan });
    made.edit(path, (live: { status: object }) => {
      live.status = status;
    });
    return waitsFor(made.api, plan, podOf("schema"));
  };

  it("is waited for until it has done its work", async () => {
    expect(await with_({ active: 1 })).toMatch(/not done/);
    expect(await with_({ succeeded: 1 })).toBeUndefined();
  });

  it("is given up where it has failed for good, with what removes it", async () => {
    const conditions = [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "too often" }];
    await expect(with_({ conditions })).rejects.toMatchObject({
      ...{ code: "WORKLOAD_FAILED", message: "schema: BackoffLimitExceeded: too often" },
      fix: expect.stringContaining(`kubectl delete job ${job?.metadata.name} -n plant, `),
    });
  });
});

describe("a wait", () => {
  const waiting = (made: TestCluster, limitMs: number, signal = new AbortController().signal) =>
    untilReady({ api: made.api, plan, pods: [podOf("backend")], limitMs, signal, onReady: () => undefined });

  it("ends with what was not ready", async () => {
    await expect(waiting(cluster({ readyReplicas: 0, updatedReplicas: 1 }), 0)).rejects.toMatchObject({
      ...{ code: "WORKLOAD_TIMEOUT", exit: 9 },
      message: "not ready after 0 s: backend: 0 of 1 are ready",
    });
  });

  it("ends with the claims that have no volume, and what was said of the first", async () => {
    const made = cluster({ readyReplicas: 0, updatedReplicas: 1 });
    made.put({
      ...{ apiVersion: "v1", kind: "PersistentVolumeClaim", status: { phase: "Pending" } },
      metadata: { name: "volume-state-backend-0", namespace: "plant" },
    });
    const items = [{ message: "first" }, { message: "no provisioner answers" }];
    made.answers.set("GET /api/v1/namespaces/plant/events", { status: 200, body: { items } });
    await expect(waiting(made, 0)).rejects.toMatchObject({
      ...{ code: "VOLUME_UNBOUND", path: "volume-state-backend-0" },
      message: expect.stringContaining("volume-state-backend-0 (no provisioner answers); not ready"),
    });
  });

  it("ends when somebody interrupts it", async () => {
    await expect(waiting(cluster({}), 60_000, AbortSignal.abort())).rejects.toMatchObject({ code: "DEPLOY_CANCELLED" });
  });

  it("goes on while the API server is away, and ends with that where it stays away", async () => {
    const made = cluster(READY);
    const { get } = made.api;
    let times = 0;
    const away = Object.assign({}, made.api, {
      get: async (path: string) => {
        times += 1;
        if (times <= 2) throw unreachable();
        return get(path);
      },
    });
    const pods = [podOf("backend")];
    const request = { plan, pods, signal: new AbortController().signal, onReady: () => undefined };
    await untilReady({ ...request, api: away, limitMs: 10_000 });
    expect(times).toBe(3);
    times = -1_000;
    await expect(untilReady({ ...request, api: away, limitMs: 0 })).rejects.toMatchObject({
      code: "CLUSTER_UNREACHABLE",
    });
  });
});

function unreachable() {
  return kubernetesLifeErrors.error("CLUSTER_UNREACHABLE", "away");
}
