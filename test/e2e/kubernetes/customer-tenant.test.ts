import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { callControl } from "../../../shared/control-client.ts";
import { SimulatedSensors } from "../../support/air-gapped/simulated.ts";
import { takeDown } from "../../support/cluster/down.ts";
import { bringUp, type Cluster } from "../../support/cluster/up.ts";
import { PROJECT, scratch } from "../../support/deployment.ts";
import { RunningSite } from "../../support/kubernetes-running.ts";
import { KubernetesSite } from "../../support/kubernetes-site.ts";
import { compareLedger } from "../../support/ledger.ts";

const RATE = 200;
/** Every component that keeps running but the collector, whose pods are killed one after the other. */
const KILLED = [
  ...["backend", "broker", "database", "custody", "custody-broker", "gw-01"],
  ...["gateways-ca", "operators-ca", "prometheus"],
] as const;

const own = scratch("kubernetes");
const sensors = new SimulatedSensors();
let cluster: Cluster;
let site: KubernetesSite;
let running: RunningSite;
let database: Awaited<ReturnType<RunningSite["database"]>>;
beforeAll(async () => {
  cluster = await bringUp({
    cacheDir: defaultCacheDir(process.env, homedir()),
    toolsDir: join(PROJECT, "tools"),
    env: process.env,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    state: join(own.dir, "cluster"),
    clock: () => new Date(),
  });
  site = new KubernetesSite(own.dir, cluster);
  await site.prepare();
}, 3_000_000);
afterAll(async () => {
  await running?.close();
  await sensors.remove();
  await site?.stop();
  await takeDown(cluster.state);
  own.remove();
}, 200_000);

async function acknowledgedSoFar(): Promise<number> {
  const { counters } = (await sensors.ask("GET", "/status")) as { counters: { acknowledged: number } };
  return counters.acknowledged;
}

/** Waits until so many messages more were acknowledged, for two minutes at most. */
async function flow(messages: number): Promise<void> {
  const before = await acknowledgedSoFar();
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(200)) {
    if ((await acknowledgedSoFar()) - before >= messages) return;
  }
  throw new Error(`no ${messages} messages were acknowledged in 120 s`);
}

/** Waits until messages come as fast as they are sent, but for what a busy machine takes of it, so that a fault meets them all. */
async function underLoad(): Promise<void> {
  const WINDOW_MS = 2_000;
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    const [before, since] = [await acknowledgedSoFar(), Date.now()];
    await sleep(WINDOW_MS);
    const perSecond = ((await acknowledgedSoFar()) - before) / ((Date.now() - since) / 1_000);
    if (perSecond > RATE / 2) return;
  }
  throw new Error(`less than ${RATE / 2} of ${RATE} messages a second were acknowledged for 120 s`);
}

/** Waits until no sensor waits for an answer and the gateway for no receipt. */
async function drained(): Promise<void> {
  await expect
    .poll(async () => (await sensors.ask("GET", "/status")) as object, { timeout: 120_000 })
    .toMatchObject({
      counters: { pending: 0 },
    });
  await expect
    .poll(() => running.control("gw-01", "/status"), { timeout: 120_000 })
    .toMatchObject({
      counters: { spooled: 0 },
    });
}

/** How many messages were stored exactly once. */
async function sentExactlyOnce(): Promise<number> {
  await sensors.ask("POST", "/stop");
  await drained();
  const control = (component: string, method: "GET" | "POST", path: string, body?: unknown) =>
    component === "simulator" ? callControl(sensors.socket, method, path, body) : running.control(component, path);
  const { acknowledged, wrong, quarantined } = await compareLedger({ deployed: { control }, database });
  expect({ wrong, quarantined }).toEqual({ wrong: [], quarantined: [] });
  return acknowledged.length;
}

describe("the customer-tenant example on a cluster", () => {
  it("comes up under PodSecurity restricted, as planned, and has nothing to change afterwards", async () => {
    const { stdout } = await site.must(["deploy", "--wait", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "trustkern.deploy/1", healthy: true });
    const { namespace } = site.deployment.kubernetes;
    const { stdout: text } = await cluster.kubectl(["get", "namespace", namespace, "-o", "json"]);
    expect(JSON.parse(text).metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
    expect(JSON.parse((await site.must(["deploy", "--wait", "--json"])).stdout)).toMatchObject({ changed: 0 });
    running = await RunningSite.open(site);
    database = await running.database();
  }, 400_000);

  it("decrypts and stores what sensors send; two collectors share the load", async () => {
    const { host } = await gateway();
    await sensors.start([], "acme", { host, port: 5683, secrets: join(own.dir, ".trustkern", "secrets", "gw-01") });
    await sensors.ask("POST", "/sensors", { count: 16 });
    await running.provisionAll(sensors);
    await sensors.ask("POST", "/run", { rate: RATE, total: null });
    await flow(2_000);
    const shares = await Promise.all((await running.pods("collector")).map(taken));
    expect(shares).toHaveLength(2);
    // Each message goes to one of them, and the broker takes them in turn.
    expect(Math.min(...shares)).toBeGreaterThan(0.3 * Math.max(...shares));
  }, 200_000);
});

async function gateway(): Promise<{ host: string }> {
  const { namespace } = site.deployment.kubernetes;
  const { stdout } = await cluster.kubectl([
    "get",
    "service",
    "-n",
    namespace,
    "gw-01",
    "-o",
    "jsonpath={.spec.clusterIP}",
  ]);
  return { host: stdout };
}

/** Messages that one collector has taken, by its own word. */
async function taken(pod: string): Promise<number> {
  const { counters } = (await running.ask(pod, "collector", "/status")) as { counters: { received: number } };
  return counters.received;
}

/** After each start custody waits for an order, which comes once everything was looked at. */
async function unseal(): Promise<void> {
  for (const pod of await running.pods("custody")) {
    const status = () => running.ask(pod, "custody", "/status").catch(() => ({}));
    await expect.poll(status, { timeout: 60_000 }).toMatchObject({ sealed: true });
  }
  await site.must(["keys", "unseal"]);
}

describe("while messages come", () => {
  it("has a kill for every component that keeps running", () => {
    const { pods } = running.deployed.plan;
    const components = pods.filter(({ kind }) => kind !== "Job").flatMap((pod) => pod.components);
    expect(components.map(({ name }) => name).toSorted()).toEqual([...KILLED, "collector"].toSorted());
  });

  it.each(KILLED)(
    "loses and doubles nothing when %s is killed",
    async (component) => {
      await underLoad();
      for (const pod of await running.pods(component)) await running.kill(component, pod);
      if (component === "custody") await unseal();
      await flow(1_000);
    },
    200_000,
  );

  it("loses and doubles nothing when each collector is killed in turn", async () => {
    for (const pod of await running.pods("collector")) {
      await underLoad();
      await running.kill("collector", pod);
      await flow(1_000);
    }
  }, 200_000);

  it("loses and doubles nothing in a rolling update of every pod, and unseals custody on the way", async () => {
    await underLoad();
    const before = await images();
    await site.giveImages("0.1.0-next");
    const { stdout } = await site.must(["deploy", "--wait", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ healthy: true });
    const after = await images();
    expect(after).toHaveLength(before.length);
    expect(after.filter((image) => before.includes(image))).toEqual([]);
    await flow(1_000);
  }, 400_000);

  it("loses and doubles nothing when its node is drained, and takes pods again later", async () => {
    const { namespace } = site.deployment.kubernetes;
    await underLoad();
    await kubectl("cordon", "node-1");
    const evict = (name: string) =>
      cluster.kubectl(
        ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, "-f", "-"],
        JSON.stringify({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } }),
      );
    const pods = (await kubectl("get", "pods", "-n", namespace, "-o", "name", "--field-selector=status.phase=Running"))
      .trim()
      .split("\n")
      .map((line) => line.slice("pod/".length));
    const refused = [];
    for (const name of pods) if ((await evict(name)).code !== 0) refused.push(name);
    // Of two collectors one goes at a time, and of two custodies.
    expect(refused).toEqual(["collector-1", "custody-1"]);
    await kubectl("uncordon", "node-1");
    await site.must(["deploy", "--wait"]);
    await flow(1_000);
  }, 400_000);

  it("has stored every acknowledged message exactly once", async () => {
    expect(await sentExactlyOnce()).toBeGreaterThan(10_000);
  }, 300_000);
});

/** Runs kubectl, and fails with what it said when it does not end with exit code 0. */
async function kubectl(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Images that containers of the deployment run now. */
async function images(): Promise<readonly string[]> {
  const { namespace } = site.deployment.kubernetes;
  const path = "jsonpath={range .items[*].status.containerStatuses[*]}{.imageID} {end}";
  const text = await kubectl("get", "pods", "-n", namespace, "--field-selector=status.phase=Running", "-o", path);
  return text.trim().split(" ");
}
