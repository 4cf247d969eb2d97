import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { ApiAnswer } from "./api.ts";
import { preflight, RIGHTS } from "./preflight.ts";
import { deployedCluster, roomyCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";

const { plan } = tenantPlan();
const NAMESPACE = "/api/v1/namespaces/plant";
const refused = (cluster: TestCluster): Promise<unknown> =>
  preflight(cluster.api, plan).catch((thrown: unknown) => thrown);

describe("the Role in the guide", () => {
  it("has the rights that are asked for, and no others", () => {
    const guide = readFileSync("docs/guides/kubernetes.md", "utf8");
    const [, text = ""] = /```yaml\n(apiVersion: rbac[\s\S]*?)```/.exec(guide) ?? [];
    const { rules } = parse(text) as { rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] };
    const written = rules.flatMap(({ apiGroups: [group = ""], resources, verbs }) =>
      resources.map((resource) => [group, resource, verbs]),
    );
    expect(written.toSorted()).toEqual(RIGHTS.map((right) => [...right]).toSorted());
  });
});

describe("a look at a cluster before anything is changed", () => {
  it("finds one with room, without a plugin that is known to enforce policies", async () => {
    const cluster = roomyCluster();
    const seen = await preflight(cluster.api, plan);
    expect(seen).toEqual({ version: "v1.34.1", enforcer: undefined, namespaceThere: false });
    expect(cluster.asked.filter((each) => /^(APPLY|DELETE|PATCH|PUT)/.test(each))).toEqual([]);
  });

  const daemonSets = (name: string, args: readonly string[]) => {
    const cluster = roomyCluster();
    const spec = { template: { spec: { containers: [{ name: "proxy" }, { name: "agent", args }] } } };
    const items = [{ metadata: { name: "kube-proxy" } }, { metadata: { name }, spec }];
    cluster.answers.set("GET /apis/apps/v1/daemonsets", { status: 200, body: { items } });
    return preflight(cluster.api, plan);
  };

  it.each([
    ["calico-node", []],
    ["cilium", []],
    ["kube-router", ["--run-router=true"]],
    ["antrea-agent", []],
    ["aws-node", ["--enable-ipv6=false", "--enable-network-policy=true"]],
  ])("knows %s %j as one that enforces them", async (name, args) => {
    expect(await daemonSets(name, args)).toMatchObject({ enforcer: name });
  });

  it.each([
    ["aws-node", []],
    ["aws-node", ["--enable-network-policy=false"]],
    ["kube-router", ["--run-firewall=false"]],
    ["kube-flannel-ds", []],
    ["kindnet", []],
  ])("does not take %s %j for one", async (name, args) => {
    expect((await daemonSets(name, args)).enforcer).toBeUndefined();
  });

  it("takes a namespace without labels for one that is not there yet, where others apply the objects", async () => {
    const cluster = roomyCluster();
    const labels = { "kubernetes.io/metadata.name": "plant", team: "plant" };
    cluster.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "plant", labels } as never });
    const seen = await preflight(cluster.api, plan, { appliedElsewhere: true });
    expect(seen).toMatchObject({ namespaceThere: false });
    expect(await refused(cluster)).toMatchObject({ code: "NAMESPACE_FOREIGN" });
  });

  it.each<readonly [string, object]>([
    ["another deployment's", { labels: { "trustkern.deployment": "other", "trustkern.tenant": "acme" } }],
    ["another tenant's", { labels: { "trustkern.deployment": plan.deployment.name, "trustkern.tenant": "globex" } }],
    ["of a tenant, and no deployment", { labels: { "trustkern.tenant": "acme" } }],
    ["being removed", { deletionTimestamp: "2026-01-01T00:00:00Z" }],
  ])("refuses one that is %s, whoever applies the objects", async (_, metadata) => {
    const cluster = roomyCluster();
    cluster.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "plant", ...metadata } });
    for (const appliedElsewhere of [true, false]) {
      const looked = preflight(cluster.api, plan, { appliedElsewhere });
      await expect(looked).rejects.toMatchObject({ code: "NAMESPACE_FOREIGN" });
    }
  });

  it("takes the namespace of an earlier deploy for its own", async () => {
    expect(await preflight(deployedCluster({ plan }).api, plan)).toMatchObject({ namespaceThere: true });
  });

  it.each([
    ["older", { major: "1", minor: "31", gitVersion: "v1.31.9" }, /is v1\.31\.9; accepted: 1\.32 or later/],
    ["of another major version", { major: "2", minor: "40", gitVersion: "v2.40.0" }, /accepted: 1\.32/],
    ["that says nothing", {}, /says no version/],
  ])("refuses a cluster %s", async (_, version, message) => {
    const cluster = roomyCluster();
    cluster.version = version as Record<string, string>;
    expect(await refused(cluster)).toMatchObject({
      ...{ code: "CLUSTER_TOO_OLD", exit: 4 },
      message: expect.stringMatching(message),
    });
  });

  it.each<readonly [string, string, ApiAnswer, string, RegExp]>([
    [
      "whose user's token has ended, and names no version that would be too old",
      "GET /version",
      { status: 401, body: { message: "Unauthorized" } },
      "CLUSTER_DENIED",
      /read \/version: the cluster does not know this user/,
    ],
    [
      "that says nobody its version",
      "GET /version",
      { status: 403, body: { message: 'User "u" cannot get path "/version"' } },
      "CLUSTER_DENIED",
      /cannot get path "\/version"/,
    ],
    ["that is starting", "GET /version", { status: 503, body: { message: "starting" } }, "CLUSTER_UNREACHABLE", /503/],
    [
      "that cannot say what the user may do, and not every right as missing",
      "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      { status: 503, body: { message: "no authorizer" } },
      "CLUSTER_UNREACHABLE",
      /this user's rights: HTTP 503/,
    ],
    [
      "that lets nobody ask for his rights",
      "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      { status: 403, body: { message: 'User "u" cannot create resource "selfsubjectaccessreviews"' } },
      "CLUSTER_DENIED",
      /selfsubjectaccessreviews/,
    ],
    [
      "whose storage classes cannot be read now, and not as one without any",
      "GET /apis/storage.k8s.io/v1/storageclasses",
      { status: 500, body: { message: "etcd is away" } },
      "CLUSTER_UNREACHABLE",
      /storage classes: HTTP 500/,
    ],
    ["whose nodes cannot be read now", "GET /api/v1/nodes", { status: 500, body: {} }, "CLUSTER_UNREACHABLE", /nodes/],
    [
      "whose daemon sets cannot be read now",
      "GET /apis/apps/v1/daemonsets",
      { status: 500, body: {} },
      "CLUSTER_UNREACHABLE",
      /daemonsets/,
    ],
  ])("refuses a cluster %s", async (_, asked, answer, code, message) => {
    const cluster = roomyCluster();
    cluster.answers.set(asked, answer);
    expect(await refused(cluster)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("leaves nodes and daemon sets to the pods where it may not look at them", async () => {
    const cluster = roomyCluster();
    for (const path of ["/api/v1/nodes", "/apis/apps/v1/daemonsets"]) {
      cluster.answers.set(`GET ${path}`, { status: 403, body: { message: "forbidden" } });
    }
    expect(await preflight(cluster.api, plan)).toMatchObject({ enforcer: undefined });
  });

  it("takes a version with a sign behind it, as some platforms say theirs", async () => {
    const cluster = roomyCluster();
    cluster.version = { major: "1", minor: "33+", gitVersion: "v1.33.2-platform.7" };
    expect(await preflight(cluster.api, plan)).toMatchObject({ version: "v1.33.2-platform.7" });
  });

  it.each([
    ["without a label", {}, /has no label of trustkern/],
    [
      "of another deployment",
      { "trustkern.deployment": "other", "trustkern.tenant": "acme" },
      /belongs to the deployment "other" of tenant "acme"/,
    ],
    ["of another tenant", { "trustkern.deployment": "demo", "trustkern.tenant": "globex" }, /of tenant "globex"/],
  ])("refuses a namespace %s, and touches nothing in it", async (_, labels, message) => {
    const cluster = roomyCluster();
    cluster.objects.set(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: "plant", labels } });
    expect(await refused(cluster)).toMatchObject({
      ...{ code: "NAMESPACE_FOREIGN", exit: 4, path: "kubernetes.namespace" },
      message: expect.stringMatching(message),
    });
  });

  it("refuses a namespace that is being removed", async () => {
    const cluster = deployedCluster({ plan });
    cluster.edit(NAMESPACE, (found: { metadata: { deletionTimestamp: string } }) => {
      found.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
    });
    expect(await refused(cluster)).toMatchObject({ code: "NAMESPACE_FOREIGN", fix: expect.stringContaining("wait") });
  });

  it("names every right that is missing at once", async () => {
    const cluster = roomyCluster();
    for (const right of ["create pods/exec", "patch secrets", "create namespaces"]) cluster.lacks.add(right);
    expect(await refused(cluster)).toMatchObject({
      ...{ code: "CLUSTER_DENIED", exit: 3 },
      message: 'this user may not, in namespace "plant": create namespaces; patch secrets; create pods/exec',
    });
  });

  it("refuses a cluster without a storage class of its own where none is named", async () => {
    const cluster = roomyCluster();
    cluster.edit("/apis/storage.k8s.io/v1/storageclasses/fast", (found: { metadata: { annotations: object } }) => {
      found.metadata.annotations = {};
    });
    expect(await refused(cluster)).toMatchObject({
      code: "STORAGE_CLASS_MISSING",
      message: "the cluster has no storage class of its own; accepted: fast",
    });
  });

  it("leaves storage classes to the claims where it may not look at them", async () => {
    const cluster = roomyCluster();
    cluster.answers.set("GET /apis/storage.k8s.io/v1/storageclasses", { status: 403, body: {} });
    expect(await preflight(cluster.api, plan)).toMatchObject({ version: "v1.34.1" });
  });

  it("refuses nodes that have less than is asked for, with both amounts", async () => {
    const cluster = roomyCluster();
    cluster.edit("/api/v1/nodes/one", (found: { status: object }) => {
      found.status = { allocatable: { cpu: "250m", memory: "64Gi" } };
    });
    expect(await refused(cluster)).toMatchObject({
      code: "CLUSTER_QUOTA",
      message: expect.stringMatching(
        /nodes\.cpu: the deployment asks for [\d.]+ of cpu, and all nodes together have 0\.25/,
      ),
    });
  });

  it("refuses a quota that is less than the deployment", async () => {
    const cluster = deployedCluster({ plan });
    cluster.put({
      ...{ apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "small", namespace: "plant" } },
      spec: { hard: { pods: "3", "requests.memory": "900Gi", "count/gadgets": "1" } },
    });
    expect(await refused(cluster)).toMatchObject({
      code: "CLUSTER_QUOTA",
      message: expect.stringMatching(
        /1 mistake[\s\S]*small\.pods: the deployment asks for \d+ of pods, and the quota has 3/,
      ),
    });
  });
});
