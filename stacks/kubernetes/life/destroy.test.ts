import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeState } from "../../host/state.ts";
import type { Cluster } from "./cluster.ts";
import { deployedToFile, forgetNamespace, rememberNamespace, rememberRemoval } from "./deployed-to.ts";
import { destroyIn } from "./destroy.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { clusterLayout } from "./layout.ts";
import { deployedCluster, roomyCluster, type TestCluster } from "./test-cluster.ts";
import { testConfig } from "./test-config.ts";
import { testSite } from "./test-site.ts";

const NAMESPACE = "/api/v1/namespaces/tk-demo";
const POD = `${NAMESPACE}/pods/custody-0`;
let folder: string;
let site: ReturnType<typeof testSite>;
let live: TestCluster;
let server: string | undefined;
let abort: AbortController;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-destroy-"));
  site = testSite(folder, "");
  live = deployedCluster(site);
  [server, abort] = [undefined, new AbortController()];
  const { layout } = opened();
  mkdirSync(layout.secretsDir, { recursive: true });
  writeFileSync(secret(), "the only copy");
  const state = { schema: "trustkern.kubernetes-state/1", tenant: "acme", createdAt: "2026-01-01T00:00:00Z" } as const;
  writeState(layout.stateFile, { ...state, ports: {}, volumes: [] });
  await rememberNamespace(opened());
});
afterEach(() => rmSync(folder, { recursive: true }));

const layoutHere = () => clusterLayout(site.options, site.model);
const secret = () => join(layoutHere().secretsDir, "key");
const file = () => deployedToFile(layoutHere());
const record = () => JSON.parse(readFileSync(file(), "utf8"));

function opened(): Cluster {
  const { model, plan, options } = site;
  return { api: live.api, model, plan, options, layout: layoutHere(), config: testConfig(server) };
}
const destroyed = (volumes: boolean): Promise<unknown> =>
  destroyIn(opened(), { ...site.options, signal: abort.signal, volumes }).catch((thrown: unknown) => thrown);
const deleted = () => live.asked.filter((each) => each.startsWith("DELETE ")).map((each) => each.slice(7));
/** A pod that ends once the namespace was looked at for it so many times. */
function pod(labels: object, looks = Number.POSITIVE_INFINITY): void {
  live.put({ apiVersion: "v1", kind: "Pod", metadata: { name: "custody-0", namespace: "tk-demo", labels } as never });
  const { list } = live.api;
  let left = looks;
  Object.assign(live.api, {
    list: async (...asked: Parameters<typeof list>) => {
      if (asked[0].endsWith("/pods") && left-- <= 0) live.objects.delete(POD);
      return list(...asked);
    },
  });
}
const own = { "trustkern.deployment": "demo" };
const another = (): void => {
  live = deployedCluster(site);
  live.edit(NAMESPACE, (made: { metadata: { uid: string } }) => (made.metadata.uid = "another"));
};

describe("a destroy by a kubeconfig that leads to another cluster", () => {
  it.each<readonly [string, boolean, () => void]>([
    ["has no such namespace", true, () => (live = roomyCluster())],
    ["has no such namespace, and volumes stay", false, () => (live = roomyCluster())],
    ["has one of the same deployment", true, another],
    ["has one of the same deployment, and volumes stay", false, another],
    [
      "has somebody else's",
      true,
      () => live.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "tk-demo" } }),
    ],
  ])("which %s touches neither that nor what is stored", async (_, volumes, change) => {
    change();
    if (live.objects.get(NAMESPACE)?.metadata.labels === undefined && live.objects.has(NAMESPACE)) {
      live.edit(NAMESPACE, (made: { metadata: { uid: string } }) => (made.metadata.uid = "another"));
    }
    const objects = live.objects.size;
    server = "https://user:password@other.test:6443/k8s/clusters/two/";
    expect(await destroyed(volumes)).toMatchObject({ code: "CLUSTER_OTHER", exit: 4, path: file() });
    expect([live.objects.size, deleted()]).toEqual([objects, []]);
    expect([existsSync(secret()), record().removing]).toEqual([true, undefined]);
  });

  it("is told namespace, context, server and both uids, and how it goes on", async () => {
    const { uid } = record();
    another();
    server = "https://user:password@other.test:6443/k8s/clusters/two/";
    const thrown = (await destroyed(true)) as { message: string; fix: string };
    expect(thrown.message).toBe(
      `the namespace "tk-demo" of context "plant" (https://other.test:6443/k8s/clusters/two) has the uid another, and "${layoutHere().dir}" was deployed to the namespace "tk-demo" with the uid ${uid}`,
    );
    expect(thrown.fix).toMatch(/^point KUBECONFIG to its cluster; .*delete the file ".*namespace\.json"/);
  });

  it("is told the namespace of before where the deployment names another one", async () => {
    writeFileSync(file(), JSON.stringify({ ...record(), namespace: "tk-before", uid: "old" }));
    expect(await destroyed(true)).toMatchObject({
      code: "CLUSTER_OTHER",
      message: expect.stringContaining('"tk-before"'),
      fix: expect.stringMatching(/^say kubernetes\.namespace: tk-before;/),
    });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "uid"],
    ["no uid", '{"schema":"trustkern.kubernetes-namespace/1","namespace":"tk-demo"}'],
    ["more than it may", '{"schema":"trustkern.kubernetes-namespace/1","namespace":"tk-demo","uid":"a","x":1}'],
    ["another schema", '{"schema":"trustkern.kubernetes-namespace/2","namespace":"tk-demo","uid":"a"}'],
  ])("is refused where the file has %s", async (_, text) => {
    writeFileSync(file(), text);
    expect(await destroyed(true)).toMatchObject({ code: "STATE_CORRUPT", path: file() });
    expect([existsSync(secret()), deleted()]).toEqual([true, []]);
  });
});

describe("a state directory that does not say where it was deployed to", () => {
  beforeEach(() => forgetNamespace(layoutHere()));

  it("keeps what is stored where there is no namespace, with what to delete by hand", async () => {
    live = roomyCluster();
    expect(await destroyed(true)).toMatchObject({
      code: "CLUSTER_OTHER",
      fix: expect.stringContaining(`the directory "${layoutHere().dir}": delete it`),
    });
    expect(existsSync(secret())).toBe(true);
  });

  it("has nothing to remove there while volumes stay", async () => {
    live = roomyCluster();
    expect(await destroyed(false)).toMatchObject({ removed: 0, kept: true });
    expect(existsSync(secret())).toBe(true);
  });

  it("goes with the namespace that has its labels", async () => {
    expect(await destroyed(true)).toMatchObject({ kept: false });
    expect([live.objects.has(NAMESPACE), existsSync(secret())]).toEqual([false, false]);
  });
});

describe("a destroy with volumes that was interrupted", () => {
  const cutAt = (path: string): void => {
    const { remove } = live.api;
    Object.assign(live.api, {
      remove: async (each: string) => {
        const removed = await remove(each);
        // The server has done it, and its answer is lost.
        if (each === path) throw kubernetesLifeErrors.error("CLUSTER_UNREACHABLE", "away");
        return removed;
      },
    });
  };

  it("after the namespace is done by the next one, and nothing is left", async () => {
    cutAt(NAMESPACE);
    expect(await destroyed(true)).toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    expect([existsSync(secret()), record().removing]).toEqual([true, "https://plant.test:6443"]);
    expect(await destroyed(true)).toEqual({ schema: "trustkern.destroy/1", removed: 0, kept: false });
    expect([existsSync(secret()), existsSync(file())]).toEqual([false, false]);
    expect(await destroyed(true)).toMatchObject({ code: "NOT_DEPLOYED" });
  });

  it("before the namespace has not begun to remove it", async () => {
    cutAt(`${NAMESPACE}/services/backend`);
    expect(await destroyed(true)).toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    expect(record().removing).toBeUndefined();
    live = roomyCluster();
    expect(await destroyed(true)).toMatchObject({ code: "CLUSTER_OTHER" });
    expect(existsSync(secret())).toBe(true);
  });

  it("erases nothing by the word of another server, nor of a namespace that was made anew", async () => {
    rememberRemoval(opened(), live.objects.get(NAMESPACE) as never);
    live = roomyCluster();
    server = "https://other.test:6443";
    expect(await destroyed(true)).toMatchObject({ code: "CLUSTER_OTHER" });
    server = undefined;
    another();
    expect(await destroyed(true)).toMatchObject({ code: "CLUSTER_OTHER" });
    expect([existsSync(secret()), deleted()]).toEqual([true, []]);
  });

  it("is followed by a deploy that remembers the namespace again, as one that stays", async () => {
    rememberRemoval(opened(), live.objects.get(NAMESPACE) as never);
    await rememberNamespace(opened());
    expect(record().removing).toBeUndefined();
  });
});

describe("a destroy", () => {
  const kindOf = (path: string): string => path.split("/").at(-2) ?? "";
  const MAKERS = ["horizontalpodautoscalers", "poddisruptionbudgets", "jobs", "deployments", "statefulsets"];

  it.each([true, false])("takes what makes pods first, and isolation last (volumes: %s)", async (volumes) => {
    expect(await destroyed(volumes)).toMatchObject({ kept: !volumes });
    const kinds = deleted().map(kindOf);
    const last = kinds.findLastIndex((kind) => MAKERS.includes(kind));
    expect(last).toBeGreaterThan(5);
    expect(kinds.slice(0, last + 1).filter((kind) => !MAKERS.includes(kind))).toEqual([]);
    const end = volumes ? kinds.slice(0, -1) : kinds;
    expect(end.slice(end.indexOf("networkpolicies")).filter((kind) => kind !== "networkpolicies")).toEqual([]);
    expect(kinds.at(-1)).toBe(volumes ? "namespaces" : "networkpolicies");
    expect(existsSync(file())).toBe(!volumes);
  });

  it("removes no policy, Service or Secret while a pod still ends", async () => {
    pod(own);
    const ending = destroyed(true);
    await sleep(1_200);
    const kinds = new Set(deleted().map(kindOf));
    expect(kinds.size).toBeGreaterThan(1);
    expect([...kinds].filter((kind) => !MAKERS.includes(kind))).toEqual([]);
    expect(live.objects.has(`${NAMESPACE}/pods/custody-0`)).toBe(true);
    live.objects.delete(POD);
    expect(await ending).toMatchObject({ kept: false });
    expect(deleted().map(kindOf)).toContain("networkpolicies");
  });

  it("goes on as soon as the last pod is gone", async () => {
    pod(own, 1);
    expect(await destroyed(false)).toMatchObject({ kept: true });
    expect(deleted().map(kindOf)).toContain("networkpolicies");
  });

  it("keeps what isolates a pod of others, unless that goes with the namespace", async () => {
    pod({});
    setTimeout(() => live.objects.delete(POD), 1_200);
    const ending = destroyed(false);
    await sleep(700);
    expect(deleted().map(kindOf)).not.toContain("networkpolicies");
    await ending;
    live = deployedCluster(site);
    forgetNamespace(layoutHere());
    pod({});
    expect(await destroyed(true)).toMatchObject({ kept: false });
  });

  it("remembers the namespace for this user alone, and by its uid", () => {
    expect(record()).toEqual({
      schema: "trustkern.kubernetes-namespace/1",
      namespace: "tk-demo",
      uid: live.objects.get(NAMESPACE)?.metadata.uid,
    });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });
});
