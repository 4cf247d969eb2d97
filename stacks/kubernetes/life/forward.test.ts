import { once } from "node:events";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openCluster } from "./cluster.ts";
import { openForwards } from "./forwards.ts";
import { TestApiServer } from "./test-api-server.ts";
import { deployedCluster } from "./test-cluster.ts";
import { type TestSite, testSite } from "./test-site.ts";

const server = new TestApiServer(deployedCluster({ plan: { objects: [] } as never }));
let site: TestSite;
beforeAll(async () => {
  await server.start();
  site = testSite(server.folder, server.kubeconfig());
});
afterAll(() => server.stop());
beforeEach(() => {
  server.reset(deployedCluster(site));
  server.upgradeStatus = 403;
  site.said.length = 0;
});

const runs = (name: string, component: string) =>
  server.cluster.put({
    ...{ apiVersion: "v1", kind: "Pod", status: { phase: "Running" } },
    metadata: {
      ...{ name, namespace: "tk-demo" },
      labels: { "trustkern.deployment": "demo", "trustkern.component": component },
    } as never,
  });
/** Connects, and waits until that is over. */
async function tried(place: string | number): Promise<void> {
  const client = typeof place === "string" ? connect(place) : connect(place, "127.0.0.1");
  client.on("error", () => undefined);
  client.write("a question");
  await once(client, "close");
}
const upgrades = () => server.heard.filter(({ path }) => /\/(?:exec|portforward)$/.test(path)).map(({ path }) => path);

describe("a way into a pod", () => {
  it("is a socket that this user alone may open, and none once it is closed", async () => {
    const forwards = await openForwards(await openCluster(site.options));
    const socket = forwards.socket("custody", "manage");
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    await forwards[Symbol.asyncDispose]();
    expect(existsSync(socket)).toBe(false);
  });

  it("leads nowhere without a pod that runs, and waits for one without a word", async () => {
    await using forwards = await openForwards(await openCluster(site.options));
    await tried(forwards.socket("custody", "manage"));
    expect([upgrades(), site.said]).toEqual([[], []]);
  });

  it.each([
    [
      403,
      /^CLUSTER_DENIED: this user may not get, create pods\/exec, in namespace "tk-demo": HTTP 403; have a cluster adm/,
    ],
    [401, /^CLUSTER_DENIED: the cluster does not know this user, in namespace "tk-demo": HTTP 401/],
  ])("that the API server refuses with %i is told once, with the right that is missing", async (status, said) => {
    runs("custody-0", "custody");
    server.upgradeStatus = status;
    await using forwards = await openForwards(await openCluster(site.options));
    for (let times = 0; times < 2; times += 1) await tried(forwards.socket("custody", "manage"));
    expect(upgrades()).toHaveLength(2);
    expect(site.said).toEqual([expect.stringMatching(said)]);
    expect(inspect(site.said)).not.toContain(server.token);
  });

  it("to a port tells of the right to forward ports", async () => {
    runs("backend-0", "backend");
    await using forwards = await openForwards(await openCluster(site.options));
    const { port, servername } = await forwards.endpoint("backend", "https");
    expect(servername).toBe("backend.acme.trustkern.internal");
    await tried(port);
    expect(site.said).toEqual([expect.stringContaining("may not get, create pods/portforward")]);
  });

  it("that fails for a while is tried again without a word", async () => {
    runs("custody-0", "custody");
    server.upgradeStatus = 500;
    await using forwards = await openForwards(await openCluster(site.options));
    await tried(forwards.socket("custody", "manage"));
    expect([upgrades().length, site.said]).toEqual([1, []]);
  });

  it("is none to a port that no component has", async () => {
    await using forwards = await openForwards(await openCluster(site.options));
    await expect(forwards.endpoint("backend", "ssh")).rejects.toBeInstanceOf(TypeError);
    await expect(forwards.endpoint("nobody", "https")).rejects.toBeInstanceOf(TypeError);
  });

  it("of a process that was killed is removed, and that of one that runs is not", async () => {
    const cluster = await openCluster(site.options);
    const folder = join(cluster.layout.runDir, "..");
    for (const name of ["4194304", "1", "notes"]) mkdirSync(join(folder, name), { recursive: true });
    await using _ = await openForwards(cluster);
    expect(["4194304", "1", "notes"].map((name) => existsSync(join(folder, name)))).toEqual([false, true, true]);
  });
});
