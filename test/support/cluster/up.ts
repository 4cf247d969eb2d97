import { readFileSync } from "node:fs";
import type { ToolsContext } from "../../../operations/tools/context.ts";
import { ensureTool } from "../../../operations/tools/ensure-tool.ts";
import { mountCgroups } from "../engine.ts";
import type { Addresses } from "./addresses.ts";
import { apiAnswers, dnsAnswers, untilReady } from "./answers.ts";
import { cgroupOf, hierarchies, makeCgroups } from "./cgroups.ts";
import { endCluster, takeDown } from "./down.ts";
import { clusterErrors } from "./errors.ts";
import { imageOfProgram, importImages, programImage } from "./images.ts";
import { createKubectl, type Kubectl } from "./kubectl.ts";
import { ClusterNode, INSIDE, programInside } from "./node.ts";
import { ensurePrograms, ON_NODE, prepareState } from "./prepare.ts";
import { firstProcess } from "./processes.ts";
import { renderObjects } from "./render/objects.ts";
import { NODE_NAME } from "./render/settings.ts";
import { type Part, partWords } from "./render/words.ts";
import { kubeconfigOf, readReady, writeReady } from "./state.ts";

const STEP_SECONDS = 120;

/** What bringing a cluster up is handed. */
export interface UpRequest extends ToolsContext {
  /** State folder, absolute. */
  readonly state: string;
  readonly clock: () => Date;
}

/** A cluster that answers. */
export interface Cluster {
  readonly state: string;
  /** File of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly addresses: Addresses;
  readonly node: ClusterNode;
  readonly kubectl: Kubectl;
}

/**
 * Brings a cluster up, or finds it running. What is left of one that was cut off is removed first. What this one started is ended when it
 * does not get to the end; then the state folder stays, with the logs.
 * @throws CLUSTER_STATE_FOREIGN, CLUSTER_NETWORK_TAKEN, CLUSTER_NETWORK_FAILED, CLUSTER_START_FAILED, CLUSTER_STEP_TIMEOUT,
 * CLUSTER_CANCELLED, CLUSTER_LEFTOVER, and what `ensureTool` throws
 */
export async function bringUp(request: UpRequest): Promise<Cluster> {
  const { state, onProgress } = request;
  const running = await findRunning(request);
  if (running !== undefined) {
    onProgress("the cluster is running");
    return running;
  }
  await takeDown(state);
  try {
    return await begin(request);
  } catch (thrown) {
    await endCluster(state);
    throw thrown;
  }
}

async function findRunning(request: UpRequest): Promise<Cluster | undefined> {
  const { state } = request;
  const addresses = readReady(state);
  const pid = firstProcess(state);
  if (addresses === undefined || pid === undefined) return undefined;
  const kubectl = createKubectl(await ensureTool(request, "kubectl"), state);
  const { code } = await kubectl(["get", "--raw", "/readyz", "--request-timeout=5s"]);
  if (code !== 0) return undefined;
  return { state, kubeconfig: kubeconfigOf(state), addresses, node: new ClusterNode(state, pid), kubectl };
}

async function begin(request: UpRequest): Promise<Cluster> {
  const { state, signal, clock, cacheDir } = request;
  const step = stepsOf(request);
  const programs = await step("programs", () => ensurePrograms(request));
  const { addresses, credentials } = await step("credentials", () => prepareState(state, clock()));
  const node = await step("node", async () => {
    await mountCgroups();
    makeCgroups(hierarchies(readFileSync("/proc/mounts", "utf8")), cgroupOf(state));
    const onNode = ON_NODE.map((name) => programs[name]);
    return ClusterNode.start(state, programs.pause, onNode, addresses);
  });
  const words = partWords(INSIDE, addresses, programInside);
  const start = (...parts: readonly Part[]) => Promise.all(parts.map((part) => node.startDaemon(part, words[part])));
  const until = (what: string, parts: readonly Part[], ask: () => Promise<boolean>): Promise<void> =>
    untilReady(node, { what, parts, seconds: STEP_SECONDS, signal, ask });
  await step("etcd, containerd", async () => {
    await start("etcd", "containerd");
    await until("containerd", ["etcd", "containerd"], async () => (await node.run(["ctr", "version"])).code === 0);
  });
  await step("API server", async () => {
    await start("kube-apiserver");
    await until("the API server", ["etcd", "kube-apiserver"], () => apiAnswers(addresses.node, credentials));
  });
  await step("images", async () => {
    const own = (["pause", "coredns"] as const).map((name) => imageOfProgram(cacheDir, name, programs[name]));
    await importImages(node, await Promise.all(own));
  });
  const kubectl = createKubectl(programs.kubectl, state);
  await step("node ready", async () => {
    await start("kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet");
    await until("the node", ON_NODE, () => nodeIsReady(kubectl));
  });
  await step("name service", async () => {
    await applyObjects(kubectl, renderObjects(INSIDE, addresses, programImage("coredns")));
    const { dns, kubernetes } = addresses;
    await until("CoreDNS", ON_NODE, () => dnsAnswers(dns, "kubernetes.default.svc.cluster.local", kubernetes));
  });
  writeReady(state, addresses);
  return { state, kubeconfig: kubeconfigOf(state), addresses, node, kubectl };
}

/** Does one step after the other, and says how long each took. @throws CLUSTER_CANCELLED before the next one */
function stepsOf({ signal, clock, onProgress }: UpRequest) {
  return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    if (signal.aborted) throw clusterErrors.error("CLUSTER_CANCELLED", `cancelled before ${name}`);
    const started = clock().getTime();
    const made = await work();
    onProgress(`${name}: ${((clock().getTime() - started) / 1_000).toFixed(1)} s`);
    return made;
  };
}

async function nodeIsReady(kubectl: Kubectl): Promise<boolean> {
  const { code } = await kubectl(["wait", `node/${NODE_NAME}`, "--for=condition=Ready", "--timeout=1s"]);
  return code === 0;
}

async function applyObjects(kubectl: Kubectl, objects: object): Promise<void> {
  const { code, stderr } = await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(objects));
  if (code !== 0)
    throw clusterErrors.error("CLUSTER_START_FAILED", `kubectl apply ended with ${code}: ${stderr.trim()}`);
}
