import { describe, expect, it } from "vitest";
import { clusterDifferences } from "./differences.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";
import { madePod } from "./test-pods.ts";

const test = tenantPlan();
const looked = (cluster: TestCluster) =>
  clusterDifferences({ api: cluster.api, plan: test.plan, model: test.model, options: test as never });
const NAMESPACE = "plant";
const at = (group: string, plural: string, name: string) => `${group}/namespaces/${NAMESPACE}/${plural}/${name}`;
const BACKEND = at("/apis/apps/v1", "statefulsets", "backend");
const podIn = (cluster: TestCluster, name: string, more: object = {}, spec: object = {}) =>
  madePod(cluster, test.plan, `${name}-0`, { metadata: more, spec });

describe("a cluster that has what was planned", () => {
  it("differs in nothing", async () => {
    const cluster = deployedCluster(test);
    cluster.put(podIn(cluster, "backend"));
    expect(await looked(cluster)).toEqual([]);
  });

  it("may have what every namespace has, and what a workload has made", async () => {
    const cluster = deployedCluster(test);
    cluster.put({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kube-root-ca.crt", namespace: NAMESPACE } });
    cluster.put({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: NAMESPACE } });
    expect(await looked(cluster)).toEqual([]);
  });
});

describe("a difference is found where", () => {
  it.each<readonly [string, string, RegExp, (cluster: TestCluster) => void]>([
    ["an object is missing", "OBJECT_KIND", /backend/, (cluster) => cluster.objects.delete(BACKEND)],
    [
      "a default deny is gone",
      "OBJECT_POLICY",
      /NetworkPolicy/,
      (cluster) => {
        const path = [...cluster.objects.keys()].find((each) => each.includes("/networkpolicies/default-deny"));
        cluster.objects.delete(path ?? "");
      },
    ],
    [
      "a policy opens everything",
      "OBJECT_STRANGER",
      /NetworkPolicy\/open/,
      (cluster) =>
        cluster.put({
          ...{
            apiVersion: "networking.k8s.io/v1",
            kind: "NetworkPolicy",
            metadata: { name: "open", namespace: NAMESPACE },
          },
          spec: { podSelector: {}, ingress: [{}], egress: [{}], policyTypes: ["Ingress", "Egress"] },
        }),
    ],
    [
      "a workload of somebody runs beside",
      "OBJECT_STRANGER",
      /Deployment\/miner/,
      (cluster) =>
        cluster.put({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "miner", namespace: NAMESPACE } }),
    ],
    [
      "a pod of nobody runs",
      "OBJECT_STRANGER",
      /Pod\/shell/,
      (cluster) =>
        cluster.put({
          ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "shell", namespace: NAMESPACE } },
          ...{ status: { phase: "Running" }, spec: { containers: [] } },
        }),
    ],
    [
      "a pod has the labels of a component, and no workload",
      "OBJECT_STRANGER",
      /Pod\/backend-0/,
      (cluster) => cluster.put(podIn(cluster, "backend", { ownerReferences: [] })),
    ],
    [
      "somebody debugs a pod",
      "OBJECT_STRANGER",
      /backend-0\.containers\.debugger/,
      (cluster) =>
        cluster.put(podIn(cluster, "backend", {}, { ephemeralContainers: [{ name: "debugger", image: "busybox" }] })),
    ],
    [
      "a webhook has put a container into a pod",
      "OBJECT_STRANGER",
      /containers\.proxy/,
      (cluster) => cluster.put(podIn(cluster, "backend", {}, { initContainers: [{ name: "proxy", image: "mesh" }] })),
    ],
    [
      "a pod runs another image than its workload says",
      "OBJECT_IMAGE",
      /backend-0/,
      (cluster) =>
        cluster.put(podIn(cluster, "backend", {}, { containers: [{ name: "backend", image: "evil@sha256:0" }] })),
    ],
    [
      "a workload runs another image",
      "OBJECT_IMAGE",
      /image/,
      (cluster) =>
        cluster.edit(BACKEND, (found: { spec: { template: { spec: { containers: { image: string }[] } } } }) => {
          for (const container of found.spec.template.spec.containers) container.image = "evil:latest";
        }),
    ],
    [
      "the namespace is no longer restricted",
      "OBJECT_SECURITY",
      /pod-security/,
      (cluster) =>
        cluster.edit(`/api/v1/namespaces/${NAMESPACE}`, (found: { metadata: { labels: Record<string, string> } }) => {
          found.metadata.labels["pod-security.kubernetes.io/enforce"] = "privileged";
        }),
    ],
  ])("%s", async (_, code, path, change) => {
    const cluster = deployedCluster(test);
    change(cluster);
    const findings = await looked(cluster);
    expect(findings.map((found) => found.code)).toContain(code);
    expect(findings.some((found) => path.test(`${found.path} ${found.message}`))).toBe(true);
  });
});
