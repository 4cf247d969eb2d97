import { describe, expect, it } from "vitest";
import type { PlannedObject } from "../objects.ts";
import { applyObject, isBeforePods, leftOver, SECRET_VERSION, startedFor } from "./apply.ts";
import { deployedCluster, roomyCluster, tenantPlan } from "./test-cluster.ts";

const { plan, model } = tenantPlan();
const objectOf = (kind: string, name: string): PlannedObject => {
  const found = plan.objects.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new TypeError(`no ${kind} ${name}`);
  return found;
};
const annotations = (object: PlannedObject) =>
  (object as never as { spec: { template: { metadata: { annotations?: Record<string, string> } } } }).spec.template
    .metadata.annotations;

describe("an object that is applied", () => {
  const service = objectOf("Service", "backend");

  it("is new, then unchanged, then changed where it was changed by hand", async () => {
    const cluster = roomyCluster();
    expect(await applyObject(cluster.api, service)).toEqual([{ action: "create", kind: "Service", name: "backend" }]);
    expect(await applyObject(cluster.api, service)).toEqual([]);
    cluster.edit("/api/v1/namespaces/plant/services/backend", (live: { spec: { type: string } }) => {
      live.spec.type = "NodePort";
    });
    expect(await applyObject(cluster.api, service)).toEqual([{ action: "update", kind: "Service", name: "backend" }]);
  });

  it("is not there after a dry run", async () => {
    const cluster = roomyCluster();
    expect(await applyObject(cluster.api, service, true)).toHaveLength(1);
    expect(cluster.objects.has("/api/v1/namespaces/plant/services/backend")).toBe(false);
  });

  it("comes before pods where they need it", () => {
    const kinds = plan.objects.filter(isBeforePods).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["Namespace", "ServiceAccount", "NetworkPolicy", "ConfigMap", "Service"]));
  });
});

describe("what somebody has added to the spec of an object", () => {
  const BACKEND = "/apis/apps/v1/namespaces/plant/statefulsets/backend";
  const spec = (cluster: ReturnType<typeof roomyCluster>, path: string) => cluster.objects.get(path)?.spec;

  it("goes from a workload with the next deploy, though it is another's field", async () => {
    const cluster = deployedCluster({ plan });
    const workload = objectOf("StatefulSet", "backend");
    cluster.added.set(BACKEND, { revisionHistoryLimitOfSomebody: 1 });
    await applyObject(cluster.api, workload);
    expect(cluster.asked).toContain(`PUT ${BACKEND}`);
    expect(spec(cluster, BACKEND)).toEqual((workload as never as { spec: object }).spec);
  });

  it("goes from a policy, and stays in a dry run", async () => {
    const cluster = deployedCluster({ plan });
    const policy = plan.objects.find(({ kind }) => kind === "NetworkPolicy");
    if (policy === undefined) throw new TypeError("no policy");
    const path = `/apis/networking.k8s.io/v1/namespaces/plant/networkpolicies/${policy.metadata.name}`;
    cluster.added.set(path, { somebodys: true });
    await applyObject(cluster.api, policy, true);
    expect(cluster.asked.filter((each) => each.startsWith("PUT"))).toEqual([]);
    await applyObject(cluster.api, policy);
    expect(spec(cluster, path)).toEqual((policy as never as { spec: object }).spec);
  });

  it("is nothing where a controller says how many there are", async () => {
    const cluster = deployedCluster({ plan });
    const workload = objectOf("StatefulSet", "backend");
    const { replicas: _, ...scaled } = (workload as never as { spec: { replicas?: number } }).spec;
    cluster.added.set(BACKEND, { replicas: 5 });
    await applyObject(cluster.api, { ...workload, spec: scaled } as never);
    expect(cluster.asked.filter((each) => each.startsWith("PUT"))).toEqual([]);
    cluster.added.set(BACKEND, { replicas: 5, somebodys: true });
    await applyObject(cluster.api, { ...workload, spec: scaled } as never);
    expect(spec(cluster, BACKEND)).toMatchObject({ replicas: 5 });
    expect(spec(cluster, BACKEND)).not.toHaveProperty("somebodys");
  });

  it("is left in a Service, whose addresses and finalizers are a controller's", async () => {
    const cluster = deployedCluster({ plan });
    const path = "/api/v1/namespaces/plant/services/backend";
    cluster.added.set(path, { clusterIP: "10.0.0.7" });
    await applyObject(cluster.api, objectOf("Service", "backend"));
    expect(spec(cluster, path)).toMatchObject({ clusterIP: "10.0.0.7" });
  });
});

describe("how many pods there are", () => {
  const path = "/apis/apps/v1/namespaces/plant/statefulsets/collector";
  const { replicas: _, ...spec } = (objectOf("StatefulSet", "collector") as never as { spec: { replicas?: number } })
    .spec;
  const scaled = { ...objectOf("StatefulSet", "collector"), spec } as PlannedObject;
  const cluster = (manager = "trustkern", operation = "Apply") => {
    const made = deployedCluster({ plan });
    made.edit(path, (live: { spec: object; metadata: object }) => {
      live.spec = { ...live.spec, replicas: 6 };
      const fields = [{ manager, operation, fieldsV1: { "f:spec": { "f:replicas": {} } } }];
      live.metadata = { ...live.metadata, managedFields: fields };
    });
    return made;
  };
  const asked = ({ asked: all }: ReturnType<typeof cluster>) => all.filter((each) => each.startsWith("APPLY "));

  it("stays, where whoever scales by load is to say it from then on", async () => {
    const made = cluster();
    await applyObject(made.api, scaled);
    expect(asked(made)).toEqual([`APPLY ${path} as trustkern-scale`, `APPLY ${path}`]);
  });

  it.each([
    ["another has scaled it", () => cluster("kube-controller-manager", "Update")],
    ["another has applied it", () => cluster("argocd-controller")],
    ["we have not applied it", () => cluster("trustkern", "Update")],
  ])("is left to who said it, where %s", async (_, make) => {
    const made = make();
    await applyObject(made.api, scaled);
    expect(asked(made)).toEqual([`APPLY ${path}`]);
  });

  it("is the plan's where the plan says it, and nothing is said in a dry run", async () => {
    const made = cluster();
    await applyObject(made.api, { ...scaled, spec: { ...spec, replicas: 2 } } as PlannedObject);
    await applyObject(made.api, scaled, true);
    expect(asked(made)).toEqual([`APPLY ${path}`]);
  });
});

describe("pods that cannot take a certificate while they run", () => {
  const [named, restarting] = [
    "backend",
    model.components.find(({ renewal }) => renewal === "reload" || renewal === "restart"),
  ];

  it("start anew for another version of their Secret, and for nothing else", () => {
    const component = { ...model.components[0], name: named, renewal: "restart" } as never;
    const workload = objectOf("StatefulSet", named);
    const first = startedFor(workload, [component], new Map([[named, "7"]]));
    expect(annotations(first)).toMatchObject({ [SECRET_VERSION]: "7" });
    expect(annotations(startedFor(workload, [component], new Map([[named, "8"]])))).toMatchObject({
      [SECRET_VERSION]: "8",
    });
    expect(startedFor(workload, [component], new Map([["other", "9"]]))).toBe(workload);
  });

  it("are left alone where they watch their files", () => {
    const workload = objectOf("StatefulSet", "collector");
    const own = model.components.filter(({ name }) => name === "collector");
    expect(startedFor(workload, own, new Map([["collector", "7"]]))).toBe(workload);
  });

  it("are the only objects that get a mark", () => {
    const service = objectOf("Service", named);
    expect(startedFor(service, restarting === undefined ? [] : [restarting], new Map([[named, "7"]]))).toBe(service);
  });
});

describe("what is left of an earlier version", () => {
  const labels = { ...objectOf("Service", "backend").metadata.labels };

  it("is nothing right after a deploy", async () => {
    expect(await leftOver(deployedCluster({ plan }).api, plan)).toEqual([]);
  });

  it("is what has the deployment's labels and is not in its plan, and never a claim", async () => {
    const cluster = deployedCluster({ plan });
    const place = { namespace: "plant", labels };
    cluster.put({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "backend-0123456789", ...place } });
    cluster.put({ apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "gw-09", ...place } });
    cluster.put({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "volume-state-gw-09-0", ...place },
    });
    cluster.put({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs", namespace: "plant" } });
    const names = (await leftOver(cluster.api, plan)).map(({ metadata }) => metadata.name);
    expect(names.toSorted()).toEqual(["backend-0123456789", "gw-09"]);
  });
});
