import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deploymentLabels } from "../labels.ts";
import { type ApiObject, type ClusterApi, type LiveObject, objectPath } from "./api.ts";
import { applySecrets, startAnew } from "./apply-secrets.ts";
import type { Cluster } from "./cluster.ts";
import { type ClusterDeployOptions, deployTo } from "./deploy.ts";
import { deployedToFile, forgetNamespace } from "./deployed-to.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { clusterLayout } from "./layout.ts";
import { secretObjects } from "./secrets.ts";
import { roomyCluster, type TestCluster } from "./test-cluster.ts";
import { testConfig } from "./test-config.ts";
import { testSite, VAULT_CANARY } from "./test-site.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-deploy-"));
const site = testSite(folder, "");
const layout = clusterLayout(site.options, site.model);
const store = () => layout.secretsDir;
const NAMESPACE = "/api/v1/namespaces/tk-demo";
let live: TestCluster;
/** What was written, in order. */
let written: { readonly path: string; readonly object: ApiObject }[];
/** Called before each write; what it throws is what the server answers. */
let before: (path: string, object: ApiObject) => void;

/** The cluster, through which every write is seen. */
function opened(): Cluster {
  const seen = async (object: ApiObject, write: () => Promise<LiveObject>): Promise<LiveObject> => {
    before(objectPath(object), object);
    written.push({ path: objectPath(object), object });
    return write();
  };
  const api: ClusterApi = {
    ...live.api,
    apply: (object, how) => seen(object, () => live.api.apply(object, how)),
    replace: (object) => seen(object, () => live.api.replace(object)),
  };
  const { model, plan, options } = site;
  return { api, model, plan, options, layout, config: testConfig() };
}
/** Nothing of a controller runs here: what is applied is all that comes of a deploy, which then waits for pods in vain. */
async function deployed(more: Partial<ClusterDeployOptions> = {}): Promise<unknown> {
  const options = { ...site.options, appliedElsewhere: false, wait: false, limitMs: 0 };
  const onChange: ClusterDeployOptions["onChange"] = (change) => site.said.push(inspect(change));
  return deployTo(opened(), { ...options, onChange, ...more }).catch((thrown: unknown) => thrown);
}
const applied = () => [...live.objects.keys()].filter((path) => path.includes("tk-demo")).sort();
const away = () => kubernetesLifeErrors.error("CLUSTER_UNREACHABLE", "away");

/** Every secret of the store, as it is and in Base64: what is public of it is left out. */
function canaries(): readonly string[] {
  const files = readdirSync(store(), { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const texts = files
    .filter(({ name }) => !/\.(?:crt|pub|crl|pem)$|anchors|^ca/.test(name))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8").trim())
    .filter((text) => text.length >= 16 && !text.includes("BEGIN CERTIFICATE"));
  return texts.flatMap((text) => {
    const inner = /BEGIN/.test(text) ? (text.split("\n")[1] ?? "") : text;
    return [inner, Buffer.from(text).toString("base64").slice(0, 40)];
  });
}
function expectNoSecret(...places: readonly unknown[]): void {
  const text = places.map((place) => (typeof place === "string" ? place : inspect(place, { depth: 12 }))).join("\n");
  expect(canaries().filter((canary) => text.includes(canary))).toEqual([]);
}

beforeAll(async () => {
  reset();
  // The store is made once: what a later deploy finds is what the first one left.
  expect(await deployed()).toMatchObject({ code: "WORKLOAD_TIMEOUT" });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(reset);

function reset(): void {
  live = roomyCluster();
  // Another cluster than the one of the test before, as far as the state directory knows.
  forgetNamespace(layout);
  written = [];
  before = () => undefined;
  site.said.length = 0;
}

describe("a deploy", () => {
  it("applies what was planned and its Secrets, each as itself", async () => {
    expect(await deployed()).toMatchObject({ code: "WORKLOAD_TIMEOUT", exit: 9 });
    const planned = site.plan.objects.map((object) => objectPath(object));
    const secrets = site.plan.secrets.map(({ secret }) => `${NAMESPACE}/secrets/${secret}`);
    expect(applied()).toEqual([...planned, ...secrets].sort());
    for (const object of site.plan.objects.filter(({ kind }) => kind !== "StatefulSet" && kind !== "Deployment")) {
      expect(written.find(({ path }) => path === objectPath(object))?.object).toEqual(object);
    }
  });

  it("writes secrets into Secrets alone, and tells nobody", async () => {
    const ended = await deployed();
    const bytes = canaries();
    expect(bytes).toContain(VAULT_CANARY);
    expect(bytes.length).toBeGreaterThan(20);
    const [secrets, others] = [true, false].map((is) =>
      written.filter(({ object }) => (object.kind === "Secret") === is),
    );
    expect(JSON.stringify(secrets)).toContain(Buffer.from(VAULT_CANARY).toString("base64"));
    expect(others?.length).toBeGreaterThan(50);
    expectNoSecret(ended, site.said, JSON.stringify(others), live.asked.join("\n"));
  });

  it("makes what pods need before them, Secrets among it", async () => {
    await deployed();
    const order = written.map(({ path }) => path.split("/").at(-2));
    const first = order.findIndex((plural) => ["statefulsets", "deployments", "jobs"].includes(plural ?? ""));
    expect(order.slice(0, first)).toEqual(
      expect.arrayContaining(["namespaces", "networkpolicies", "configmaps", "secrets"]),
    );
    expect(order.slice(first)).not.toContain("secrets");
    expect(order.slice(first)).not.toContain("networkpolicies");
  });

  it("has nothing to change the second time", async () => {
    await deployed();
    const before = applied();
    site.said.length = 0;
    await deployed();
    expect(applied()).toEqual(before);
    expect(site.said.filter((each) => each.includes("action"))).toEqual([]);
  });

  it.each([
    ["nothing", 0],
    ["half of what pods need", 20],
    ["some workloads", 85],
  ])("that loses its API server after %s is told so, and the next one makes what is missing", async (_, count) => {
    let left = count;
    before = () => {
      if (left-- <= 0) throw away();
    };
    const ended = await deployed();
    expect(ended).toMatchObject({ code: "CLUSTER_UNREACHABLE", exit: 4 });
    expectNoSecret(ended, site.said);
    const half = applied();
    expect(half).toHaveLength(count);
    before = () => undefined;
    site.said.length = 0;
    expect(await deployed()).toMatchObject({ code: "WORKLOAD_TIMEOUT" });
    const changes = site.said.filter((each) => each.includes("action"));
    expect(changes.every((each) => each.includes("create"))).toBe(true);
    expect(changes).toHaveLength(site.plan.objects.length + site.plan.secrets.length - half.length);
  });

  it.each<readonly [string, string, RegExp]>([
    ["secrets", "patch", /patch secrets/],
    ["networkpolicies", "update", /update networkpolicies\.networking\.k8s\.io/],
    ["pods/portforward", "get", /get pods\/portforward/],
  ])("without a right on %s names it, and writes nothing", async (resource, verb, message) => {
    live.lacks.add(`${verb} ${resource}`);
    expect(await deployed()).toMatchObject({
      code: "CLUSTER_DENIED",
      exit: 3,
      message: expect.stringMatching(message),
    });
    expect(written).toEqual([]);
  });

  it.each<readonly [string, () => void, string]>([
    [
      "is older than 1.32",
      () => (live.version = { major: "1", minor: "31", gitVersion: "v1.31.0" }),
      "CLUSTER_TOO_OLD",
    ],
    [
      "has somebody else's namespace",
      () => live.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "tk-demo" } }),
      "NAMESPACE_FOREIGN",
    ],
    [
      "has no storage class",
      () => live.objects.delete("/apis/storage.k8s.io/v1/storageclasses/fast"),
      "STORAGE_CLASS_MISSING",
    ],
    ["has no node", () => live.objects.delete("/api/v1/nodes/one"), "CLUSTER_QUOTA"],
  ])("to a cluster that %s writes nothing", async (_, spoil, code) => {
    spoil();
    expect(await deployed()).toMatchObject({ code, exit: 4 });
    expect(written).toEqual([]);
  });

  it("that is interrupted says what stays, and applies no more", async () => {
    const cancel = new AbortController();
    before = (path) => void (path.includes("/configmaps/") && cancel.abort());
    expect(await deployed({ signal: cancel.signal })).toMatchObject({ code: "DEPLOY_CANCELLED", exit: 8 });
    expect(applied().some((path) => path.includes("/statefulsets/"))).toBe(false);
  });

  it("removes what is no more of it, and nothing that is another's", async () => {
    const labels = deploymentLabels(site.deployment);
    await deployed();
    for (const [name, own] of [
      ["old", labels],
      ["theirs", {}],
    ] as const) {
      live.put({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "tk-demo", labels: own } as never });
    }
    await deployed();
    expect(applied()).not.toContain(`${NAMESPACE}/secrets/old`);
    expect(applied()).toContain(`${NAMESPACE}/secrets/theirs`);
  });
});

describe("a deploy of what somebody else applies", () => {
  const elsewhere = (limitMs: number) => deployed({ appliedElsewhere: true, limitMs });
  const putNamespace = (labels: object) =>
    live.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "tk-demo", labels } as never });
  const own = () => site.plan.objects.find(({ kind }) => kind === "Namespace")?.metadata.labels ?? {};
  /** It comes once the look before is over. */
  const comes = (labels: object) => {
    const { ask } = live.api;
    Object.assign(live.api, {
      ask: async (...asked: Parameters<typeof ask>) => {
        if (asked[1].endsWith("/daemonsets")) putNamespace(labels);
        return ask(...asked);
      },
    });
  };

  it("writes the Secrets alone", async () => {
    putNamespace(own());
    expect(await elsewhere(0)).toMatchObject({ code: "WORKLOAD_TIMEOUT" });
    expect(new Set(written.map(({ path }) => path.split("/").at(-2)))).toEqual(new Set(["secrets"]));
    expect(written).toHaveLength(site.plan.secrets.length);
  });

  it("waits for the namespace, and ends with how it is made", async () => {
    const ended = await elsewhere(0);
    expect(ended).toMatchObject({
      code: "WORKLOAD_TIMEOUT",
      path: "kubernetes.namespace",
      fix: expect.stringContaining("--applied-elsewhere"),
    });
    expect(written).toEqual([]);
  });

  it("goes on once it is made, in its own name", async () => {
    comes(own());
    expect(await elsewhere(0)).toMatchObject({ message: expect.not.stringContaining("namespace") });
    expect(written).toHaveLength(site.plan.secrets.length);
  });

  it.each([
    ["nobody's by its labels", {}],
    ["another deployment's", { "trustkern.deployment": "other", "trustkern.tenant": "acme" }],
    ["another tenant's", { "trustkern.deployment": "demo", "trustkern.tenant": "globex" }],
  ])("writes no Secret into one that is %s", async (_, labels) => {
    comes(labels);
    expect(await elsewhere(0)).toMatchObject({ code: "NAMESPACE_FOREIGN" });
    expect(written).toEqual([]);
  });

  it("waits for the labels of a namespace that was made without any", async () => {
    putNamespace({ "kubernetes.io/metadata.name": "tk-demo" });
    comes(own());
    expect(await elsewhere(0)).toMatchObject({ message: expect.not.stringContaining("namespace") });
    expect(written).toHaveLength(site.plan.secrets.length);
    expect(existsSync(deployedToFile(layout))).toBe(true);
  });

  it("ends with how it is labelled where nobody does that", async () => {
    putNamespace({ "kubernetes.io/metadata.name": "tk-demo" });
    expect(await elsewhere(0)).toMatchObject({
      code: "NAMESPACE_FOREIGN",
      fix: expect.stringContaining("trustkern export kubernetes"),
    });
    expect(written).toEqual([]);
    expect(existsSync(deployedToFile(layout))).toBe(false);
  });

  it.each([
    ["another deployment's", { "trustkern.deployment": "other", "trustkern.tenant": "acme" }],
    ["another tenant's", { "trustkern.deployment": "demo", "trustkern.tenant": "globex" }],
    ["a part of another's", { "trustkern.zone": "field" }],
  ])("refuses one at once that is %s", async (_, labels) => {
    putNamespace(labels);
    const since = Date.now();
    expect(await elsewhere(60_000)).toMatchObject({ code: "NAMESPACE_FOREIGN" });
    expect(Date.now() - since).toBeLessThan(10_000);
    expect(written).toEqual([]);
  });

  it("writes no Secret where the namespace is another one than before, or is gone", async () => {
    putNamespace(own());
    await elsewhere(0);
    live.edit(NAMESPACE, (made: { metadata: { uid: string } }) => (made.metadata.uid = "another"));
    written = [];
    expect(await elsewhere(0)).toMatchObject({ code: "CLUSTER_OTHER" });
    live.objects.delete(NAMESPACE);
    expect(await elsewhere(60_000)).toMatchObject({ code: "CLUSTER_OTHER" });
    expect(written).toEqual([]);
  });

  it("ends where it is interrupted", async () => {
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 200);
    const ended = await deployed({ appliedElsewhere: true, limitMs: 60_000, signal: cancel.signal });
    expect([ended, written]).toMatchObject([{ code: "DEPLOY_CANCELLED" }, []]);
  });
});

describe("Secrets that are written after a renewal", () => {
  const renewed = async () => applySecrets(opened()).catch((thrown: unknown) => thrown);

  it("go into no namespace that is another's: the kubeconfig may lead to another cluster by now", async () => {
    live.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "tk-demo" } });
    expect(await renewed()).toMatchObject({ code: "NAMESPACE_FOREIGN" });
    expect(written).toEqual([]);
  });

  it("go into no namespace but the one that was deployed to, nor does what starts anew", async () => {
    await deployed();
    live.edit(NAMESPACE, (made: { metadata: { uid: string } }) => (made.metadata.uid = "another"));
    written = [];
    expect(await renewed()).toMatchObject({ code: "CLUSTER_OTHER", exit: 4 });
    await expect(startAnew(opened(), "custody")).rejects.toMatchObject({ code: "CLUSTER_OTHER" });
    live.objects.delete(NAMESPACE);
    expect(await renewed()).toMatchObject({ code: "CLUSTER_OTHER" });
    await expect(startAnew(opened(), "custody")).rejects.toMatchObject({ code: "CLUSTER_OTHER" });
    expect(written).toEqual([]);
  });

  it("are those of the plan, with the bytes of the store, and labels by which they are found", async () => {
    await deployed();
    for (const { metadata, type, data } of secretObjects(opened())) {
      expect(type).toBe("Opaque");
      expect(metadata).toMatchObject({
        namespace: "tk-demo",
        labels: { "trustkern.deployment": "demo", "trustkern.component": metadata.name },
      });
      for (const [key, value] of Object.entries(data)) {
        expect(Buffer.from(value, "base64")).toEqual(readFileSync(join(store(), metadata.name, key)));
      }
    }
  });
});

describe("a secret store", () => {
  it("that lacks the server's token says which file, and applies nothing", async () => {
    rmSync(join(folder, "token"));
    const ended = await deployed();
    expect(ended).toMatchObject({ code: "SECRET_NEEDED", exit: 2, path: join(folder, "token") });
    expect(written).toEqual([]);
    expectNoSecret(ended);
  });
});
