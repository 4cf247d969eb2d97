import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeImage } from "../../operations/images/build/archive.ts";
import { runtimeLayers } from "../../operations/images/build/contents.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { importImages } from "../support/cluster/images.ts";
import { bringUp, type Cluster } from "../support/cluster/up.ts";
import { PROJECT, scratch } from "../support/deployment.ts";
import { type Ended, runProgram } from "../support/run.ts";
import { claim, pod, restrictedNamespace, service } from "./cluster/objects.ts";
import { kernelSettings, lives, NO_TRACES, processesInside, tracesOf } from "./cluster/traces.ts";

/** Kubernetes is compiled at the first run on a machine. */
const COLD_SECONDS = 3_000;
const SCRIPT = join(PROJECT, "scripts", "cluster");
const NAMESPACE = "pods";
const IMAGE = "trustkern/test-runtime:1";

const own = scratch("cluster");
const state = join(own.dir, "state");
const context = {
  cacheDir: defaultCacheDir(process.env, homedir()),
  toolsDir: join(PROJECT, "tools"),
  projectDir: PROJECT,
  env: process.env,
  signal: new AbortController().signal,
  refresh: false,
  onProgress: () => undefined,
};

function run(...args: readonly string[]): Promise<Ended> {
  return runProgram(SCRIPT, args, { timeoutSeconds: COLD_SECONDS });
}

let first: Ended;
let settingsBefore: readonly string[];
let cluster: Cluster;
beforeAll(async () => {
  settingsBefore = kernelSettings();
  first = await run("up", "--state", state);
  if (first.code !== 0) throw new Error(first.stderr);
  cluster = await bringUp({ ...context, state, clock: () => new Date() });
  const layers = await runtimeLayers(context);
  const described = { name: "test-runtime", reference: IMAGE, version: "1", command: ["/usr/bin/node"], layers };
  await importImages(cluster.node, [describeImage(described)]);
  await apply([restrictedNamespace(NAMESPACE)]);
}, COLD_SECONDS * 1_000);
afterAll(async () => {
  await run("down", "--state", state);
  own.remove();
});

async function apply(items: readonly object[]): Promise<Ended> {
  return cluster.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

async function phase(name: string, wanted: string): Promise<void> {
  const args = ["wait", "-n", NAMESPACE, `pod/${name}`, `--for=jsonpath={.status.phase}=${wanted}`, "--timeout=60s"];
  const { code, stderr } = await cluster.kubectl(args, undefined, 70);
  if (code === 0) return;
  const { stdout } = await cluster.kubectl(["describe", "-n", NAMESPACE, `pod/${name}`]);
  throw new Error(`${stderr}${stdout}`);
}

describe("scripts/cluster up", () => {
  it("prints the path of a kubeconfig that its owner alone may read, and how long each step took", () => {
    expect(first.stdout).toBe(`${join(state, "kubeconfig")}\n`);
    expect(statSync(first.stdout.trim()).mode & 0o777).toBe(0o600);
    expect(first.stderr).toMatch(/^API server: \d+\.\d s$/m);
  });

  it("finds a cluster that runs, and changes nothing of it", async () => {
    const before = readFileSync(cluster.kubeconfig, "utf8");
    const again = await run("up", "--state", state);
    expect(again).toMatchObject({ code: 0, stdout: first.stdout });
    expect(again.stderr).toContain("is running");
    expect(readFileSync(cluster.kubeconfig, "utf8")).toBe(before);
  });

  it("leaves the rules, mounts and kernel settings of this machine as they were", async () => {
    const { mounts, rules } = await tracesOf(state);
    expect({ mounts, rules }).toEqual({ mounts: [], rules: [] });
    expect(kernelSettings()).toEqual(settingsBefore);
  });

  it.each([
    ["a folder with something else in it", (folder: string) => mkdirSync(join(folder, "photos"), { recursive: true })],
    ["a file", (folder: string) => writeFileSync(folder, "")],
  ])("refuses %s as its state folder, and so does down", async (_, make) => {
    const place = scratch("cluster-foreign");
    const folder = join(place.dir, "theirs");
    make(folder);
    for (const command of ["up", "down"]) {
      const { code, stdout, stderr } = await run(command, "--state", folder);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("CLUSTER_STATE_FOREIGN");
    }
    expect(statSync(folder)).toBeDefined();
    place.remove();
  });

  it("says what it accepts where it is asked for something else", async () => {
    const { code, stderr } = await run("restart");
    expect(code).toBe(2);
    expect(stderr).toContain("CLUSTER_USAGE");
  });
});

describe("the cluster", () => {
  it("runs a restricted pod that finds a Service by its name, reaches it, and writes to a claim that is bound", async () => {
    const server = `require("http").createServer((_, answer) => answer.end("from the server")).listen(8080)`;
    await apply([
      claim("kept", NAMESPACE),
      service("server", NAMESPACE, 8080),
      pod({ name: "server", namespace: NAMESPACE, image: IMAGE, script: server }),
    ]);
    await phase("server", "Running");
    const client = `
      const { lookup } = require("dns").promises;
      (async () => {
        const { address } = await lookup("server.${NAMESPACE}.svc.cluster.local");
        for (let left = 50; ; left -= 1) {
          try {
            const text = await (await fetch("http://server:8080/")).text();
            require("fs").writeFileSync("/kept/said", text);
            console.log(JSON.stringify({ address, text }));
            return;
          } catch (thrown) {
            if (left === 0) throw thrown;
            await new Promise((go) => setTimeout(go, 200));
          }
        }
      })();`;
    await apply([
      pod({ name: "client", namespace: NAMESPACE, image: IMAGE, script: client, claims: { "/kept": "kept" } }),
    ]);
    await phase("client", "Succeeded");
    const said = JSON.parse((await cluster.kubectl(["logs", "-n", NAMESPACE, "client"])).stdout);
    const address = ["get", "service", "server", "-n", NAMESPACE, "-o", "jsonpath={.spec.clusterIP}"];
    expect(said).toEqual({ address: (await cluster.kubectl(address)).stdout, text: "from the server" });
    const bound = ["get", "persistentvolumeclaim", "kept", "-n", NAMESPACE, "-o", "jsonpath={.status.phase}"];
    expect((await cluster.kubectl(bound)).stdout).toBe("Bound");
  });

  it("is reached at its Services' addresses from this machine, where tests have their clients", async () => {
    const address = ["get", "service", "server", "-n", NAMESPACE, "-o", "jsonpath={.spec.clusterIP}"];
    const { stdout } = await cluster.kubectl(address);
    expect(await (await fetch(`http://${stdout}:8080/`)).text()).toBe("from the server");
  });

  it("lets a program run in a pod that is there", async () => {
    const words = ["exec", "-n", NAMESPACE, "server", "--", "/usr/bin/node", "-p", "process.getuid()"];
    expect((await cluster.kubectl(words)).stdout.trim()).toBe("10001");
  });

  it("refuses a privileged pod in a namespace that is restricted", async () => {
    const { code, stderr } = await apply([
      pod({ name: "privileged", namespace: NAMESPACE, image: IMAGE, script: "0", privileged: true }),
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/violates PodSecurity "restricted:latest".*privileged/s);
  });

  it("lets nobody ask the API server without a certificate of its own", async () => {
    const place = { host: cluster.addresses.node, port: 6443, path: "/readyz", rejectUnauthorized: false };
    const [answer] = (await once(get(place), "response")) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(401);
  });

  it("does not lead out: a pod has no way to this machine's networks", async () => {
    const script = `require("net").connect({ host: "192.0.2.1", port: 80, timeout: 3000 })
      .on("error", ({ code }) => console.log(code)).on("timeout", () => process.exit(1)).on("connect", () => process.exit(2))`;
    await apply([pod({ name: "out", namespace: NAMESPACE, image: IMAGE, script })]);
    await phase("out", "Succeeded");
    const { stdout } = await cluster.kubectl(["logs", "-n", NAMESPACE, "out"]);
    expect(stdout.trim()).toMatch(/^E(NETUNREACH|HOSTUNREACH)$/);
  });
});

describe("scripts/cluster down", () => {
  it("leaves no process, mount, link, route, rule, control group or folder", async () => {
    const inside = processesInside(state);
    // The parts of the cluster, and shims and processes of pods.
    expect(inside.length).toBeGreaterThan(12);
    expect(await run("down", "--state", state)).toMatchObject({ code: 0, stdout: "" });
    expect(await tracesOf(state)).toEqual(NO_TRACES);
    expect(inside.filter(lives)).toEqual([]);
    expect(kernelSettings()).toEqual(settingsBefore);
  });

  it("has nothing to do where nothing is", async () => {
    expect(await run("down", "--state", state)).toMatchObject({ code: 0 });
  });

  it.each(["node", "API server"])("cleans up after an up that was killed after its step %s", async (step) => {
    const killed = spawn(SCRIPT, ["up", "--state", state], { stdio: ["ignore", "ignore", "pipe"] });
    await untilSaid(killed, `${step}: `);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect((await tracesOf(state)).processes).toHaveLength(2);
    expect(await run("down", "--state", state)).toMatchObject({ code: 0 });
    expect(await tracesOf(state)).toEqual(NO_TRACES);
  });

  it("ends what it has started when it is interrupted, and says so", async () => {
    const stopped = spawn(SCRIPT, ["up", "--state", state], { stdio: ["ignore", "ignore", "pipe"] });
    const said = await untilSaid(stopped, "node: ");
    stopped.kill("SIGINT");
    expect((await once(stopped, "close"))[0]).toBe(8);
    expect(said()).toContain("CLUSTER_CANCELLED");
    expect(await tracesOf(state)).toEqual({ ...NO_TRACES, folder: true });
    expect(await run("down", "--state", state)).toMatchObject({ code: 0 });
  });
});

/** Reads on afterwards: a program that nobody listens to any more would end by that. */
function untilSaid(child: ChildProcess, text: string): Promise<() => string> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(text)) resolve(() => said);
    });
    child.once("exit", () => reject(new Error(`it never said "${text}": ${said}`)));
  });
}
