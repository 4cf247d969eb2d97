import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { buildModel } from "../../modules/index.ts";
import { LOCK_FILE, readImageLock } from "../../operations/images/lock-file.ts";
import { pinsOf } from "../../operations/images/pins.ts";
import packageJson from "../../package.json" with { type: "json" };
import { callControl } from "../../shared/control-client.ts";
import { provision } from "../../stacks/host/provision.ts";
import { type Cluster as Deployed, openCluster } from "../../stacks/kubernetes/life/cluster.ts";
import { type Forwards, openForwards } from "../../stacks/kubernetes/life/forwards.ts";
import { podsOf } from "../../stacks/kubernetes/life/pods-running.ts";
import { clusterSite } from "../../stacks/kubernetes/life/site.ts";
import { kubernetesPlacement } from "../../stacks/kubernetes/placement.ts";
import { podNamed } from "../../stacks/kubernetes/pods.ts";
import type { SimulatedSensors } from "./air-gapped/simulated.ts";
import type { KubernetesSite } from "./kubernetes-site.ts";

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
  readonly state: { readonly running?: object };
}

/** A deployment that runs in a cluster of the tests, looked at from this machine. */
export class RunningSite {
  readonly #site: KubernetesSite;
  readonly #deployed: Deployed;
  readonly #forwards: Forwards;
  readonly #pools: pg.Pool[] = [];

  private constructor(site: KubernetesSite, deployed: Deployed, forwards: Forwards) {
    [this.#site, this.#deployed, this.#forwards] = [site, deployed, forwards];
  }

  static async open(site: KubernetesSite): Promise<RunningSite> {
    const { deployment } = site;
    const model = buildModel(deployment, kubernetesPlacement(deployment));
    const lock = readImageLock(join(dirname(site.file), LOCK_FILE));
    const deployed = await openCluster({
      deployment,
      images: pinsOf(deployment, model, lock, packageJson.version),
      dir: join(dirname(site.file), ".trustkern"),
      temporaryDir: tmpdir(),
      env: { KUBECONFIG: site.cluster.kubeconfig },
      clock: () => new Date(),
      pid: process.pid,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onWarning: () => undefined,
    });
    return new RunningSite(site, deployed, await openForwards(deployed));
  }

  get deployed(): Deployed {
    return this.#deployed;
  }

  /** Path of the socket that leads to a component's control socket. */
  readonly socket = (component: string): string => this.#forwards.socket(component, "control");

  /** Asks a component's control socket, of one of its pods that is ready. */
  control(component: string, path: string): Promise<unknown> {
    return callControl(this.socket(component), "GET", path);
  }

  /** Asks the control socket of a component in one pod. */
  async ask(pod: string, component: string, path: string): Promise<unknown> {
    const socket = `/run/trustkern/${component}.control/sock`;
    const script = `require("http").get({socketPath:process.argv[1],path:process.argv[2]},(r)=>r.pipe(process.stdout))`;
    const words = ["exec", "-n", this.#site.deployment.kubernetes.namespace, pod, "-c", component, "--"];
    const { stdout } = await this.#site.cluster.kubectl([...words, "/usr/bin/node", "-e", script, socket, path]);
    return JSON.parse(stdout);
  }

  /** Provisions every sensor that is fresh, as a person with a provisioning tool does, and has it join. */
  async provisionAll(sensors: SimulatedSensors): Promise<void> {
    const operator = await (await clusterSite(this.#deployed, this.#forwards, "a person with a tool")).operator();
    const all = (await sensors.ask("GET", "/sensors")) as readonly {
      readonly sensor_id: string;
      readonly state: string;
    }[];
    for (const { sensor_id } of all.filter(({ state }) => state === "factory")) {
      const ask = async (question: object) =>
        (await sensors.ask("POST", `/sensors/${sensor_id}/radio`, question)) as Record<string, unknown>;
      await provision(operator, ask);
      await sensors.ask("POST", `/sensors/${sensor_id}/join`);
    }
  }

  /** Rows of the deployment's database, as the role that may only read. */
  async database() {
    const { layout } = this.#deployed;
    const { host, port, servername } = await this.#forwards.endpoint("database", "postgres");
    const secret = (path: string): string => readFileSync(join(layout.secretsDir, path), "utf8");
    const ssl = { ca: secret("collector/ca.crt"), servername, minVersion: "TLSv1.3" } as const;
    const password = secret("database/reader.password");
    const pool = new pg.Pool({ host, port, database: "trustkern", user: "reader", password, ssl, max: 2 });
    pool.on("error", () => undefined);
    this.#pools.push(pool);
    return {
      query: async <Row>(text: string, values: readonly unknown[] = []) =>
        (await pool.query(text, [...values])).rows as readonly Row[],
    };
  }

  /** Names of a component's pods. */
  async pods(component: string): Promise<readonly string[]> {
    const { api, plan } = this.#deployed;
    const pod = podNamed(plan.pods, component);
    if (pod === undefined) throw new TypeError(`no pod has "${component}"`);
    return (await podsOf(api, plan, pod)).flatMap(({ metadata }) => metadata?.name ?? []).toSorted();
  }

  /** Ends the main process of a component's container in a pod, by SIGKILL, and waits until another one runs in its place. */
  async kill(component: string, pod: string): Promise<void> {
    const before = await this.#container(component, pod);
    const id = before?.containerID ?? "";
    const words = ["ctr", "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL"];
    await this.#site.cluster.node.must([...words, id.replace("containerd://", "")]);
    for (const end = Date.now() + 120_000; Date.now() < end; await sleep(500)) {
      const now = await this.#container(component, pod);
      if (now?.state.running !== undefined && now.containerID !== id) return;
    }
    throw new Error(`${component} of ${pod} did not start again in 120 s`);
  }

  async #container(component: string, pod: string): Promise<ContainerStatus | undefined> {
    const { namespace } = this.#site.deployment.kubernetes;
    const { stdout } = await this.#site.cluster.kubectl(["get", "pod", "-n", namespace, pod, "-o", "json"]);
    const { status } = JSON.parse(stdout) as { readonly status: { readonly containerStatuses?: ContainerStatus[] } };
    return status.containerStatuses?.find(({ name }) => name === component);
  }

  async close(): Promise<void> {
    for (const pool of this.#pools) await pool.end();
    await this.#forwards[Symbol.asyncDispose]();
  }
}
