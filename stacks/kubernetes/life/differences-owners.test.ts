import { describe, expect, it } from "vitest";
import { clusterDifferences } from "./differences.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";
import { madePod } from "./test-pods.ts";

const test = tenantPlan();
const found = async (cluster: TestCluster) =>
  (await clusterDifferences({ api: cluster.api, plan: test.plan, model: test.model, options: test as never })).map(
    ({ code, path }) => `${code} ${path}`,
  );
const place = { namespace: "plant" };
const ROOT_CA = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kube-root-ca.crt", ...place } };
const SET = "/apis/apps/v1/namespaces/plant/statefulsets/backend";
const uidOf = (cluster: TestCluster, path = SET) => cluster.objects.get(path)?.metadata.uid;

describe("an owner that an object names itself excuses nothing", () => {
  it.each<readonly [string, string]>([
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["apps/v1", "Deployment"],
    ["apps/v1", "StatefulSet"],
    ["apps/v1", "DaemonSet"],
    ["apps/v1", "ReplicaSet"],
    ["v1", "ReplicationController"],
    ["batch/v1", "Job"],
    ["batch/v1", "CronJob"],
    ["v1", "Service"],
    ["v1", "Pod"],
  ])("%s %s of a ConfigMap, or of a workload of ours", async (apiVersion, kind) => {
    for (const controller of [true, false]) {
      for (const of of ["ConfigMap", "StatefulSet"]) {
        const cluster = deployedCluster(test);
        cluster.put(ROOT_CA);
        const uid = uidOf(cluster, of === "ConfigMap" ? "/api/v1/namespaces/plant/configmaps/kube-root-ca.crt" : SET);
        const ownerReferences = [{ kind: of, name: "x", uid, controller }];
        const plural = { NetworkPolicy: "networkpolicies" }[kind] ?? `${kind.toLowerCase()}s`;
        const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
        cluster.objects.set(`${root}/namespaces/plant/${plural}/rogue`, {
          ...{ apiVersion, kind, metadata: { name: "rogue", ...place, ownerReferences } as never },
          ...{ spec: { podSelector: {} }, status: { phase: "Running" } },
        });
        expect(await found(cluster)).toEqual([`OBJECT_STRANGER ${kind}/rogue`]);
      }
    }
  });
});

describe("a pod is a workload's by the workload's uid alone", () => {
  const owner = (cluster: TestCluster) => ({
    kind: "StatefulSet",
    name: "backend",
    uid: uidOf(cluster),
    controller: true,
  });

  it.each<readonly [string, (cluster: TestCluster) => object]>([
    ["no controller", (cluster) => ({ ...owner(cluster), controller: false })],
    ["another uid", (cluster) => ({ ...owner(cluster), uid: "uid-of-somebody" })],
    ["no uid", (cluster) => ({ ...owner(cluster), uid: undefined })],
    ["another kind", (cluster) => ({ ...owner(cluster), kind: "Deployment" })],
    ["a set of replicas of nobody", (cluster) => ({ ...owner(cluster), kind: "ReplicaSet" })],
  ])("and not with %s", async (_, reference) => {
    const cluster = deployedCluster(test);
    cluster.put(madePod(cluster, test.plan, "backend-0", { metadata: { ownerReferences: [reference(cluster)] } }));
    expect(await found(cluster)).toEqual(["OBJECT_STRANGER Pod/backend-0"]);
  });

  it.each(["backend-1", "backend-00", "backend-x", "backend-7"])("and by its name: not %s", async (name) => {
    const cluster = deployedCluster(test);
    cluster.put(madePod(cluster, test.plan, name));
    expect(await found(cluster)).toEqual([`OBJECT_STRANGER Pod/${name}`]);
  });

  it("each of several, and a job's while it works", async () => {
    const cluster = deployedCluster(test);
    for (const name of ["collector-0", "collector-1", "collector-2", "backend-0", "custody-0", "schema-x7k2p"])
      cluster.put(madePod(cluster, test.plan, name));
    expect(await found(cluster)).toEqual([]);
  });

  it.each(["Failed", "Succeeded"])("and is nothing once it has ended: %s", async (phase) => {
    const cluster = deployedCluster(test);
    cluster.put(madePod(cluster, test.plan, "backend-0", { spec: { hostNetwork: true }, status: { phase } }));
    expect(await found(cluster)).toEqual([]);
  });
});
