import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueCrl } from "../../../certs/crl.ts";
import { issueDeploymentCertificates } from "../../../certs/deployment.ts";
import { pinOf } from "../../../services/runtime/pins.ts";
import { callControl } from "../../../shared/control-client.ts";

const ROOT = join(import.meta.dirname, "../../..");
const TENANT = "acme";

/** A process of ours with what it wrote. */
export interface Started {
  readonly child: ChildProcess;
  /** Every line of its log so far. */
  readonly log: () => readonly Record<string, unknown>[];
  readonly stderr: Promise<string>;
}

/** An answer of the backend, with the members that tests hand on. */
export interface Answer {
  readonly status: number;
  readonly body: {
    readonly challenge_id: string;
    readonly nonce: string;
    readonly bundle: string;
    readonly public_key: string;
  };
}

/** The TLS options of a client. */
export interface ClientTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A folder with certificates, keys and configurations, and the processes of one test. */
export class Harness {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-b-"));
  readonly stateDir = join(this.folder, "state");
  readonly running: ChildProcess[] = [];
  #tls: ReadonlyMap<string, ClientTls> = new Map();
  #backendPort = 0;

  /** Makes certificates, keys and a port for the broker. */
  async prepare(): Promise<{ readonly brokerPort: number }> {
    const dnsNames = (component: string): readonly string[] => [`${component}.${TENANT}.trustkern.internal`];
    const service = (component: string) => ({
      name: `svc-${component}`,
      dnsNames: dnsNames(component),
      ipAddresses: ["127.0.0.1"],
    });
    const { root, intermediates, leaves } = await issueDeploymentCertificates({
      clock: () => new Date(),
      tenant: TENANT,
      services: [service("backend"), service("broker"), service("collector")],
      gateways: ["gw-01", "gw-02"],
      operators: ["op-admin"],
    });
    this.write("ca.pem", root.certPem);
    const issuers = await Promise.all([root, ...Object.values(intermediates)].map((pair) => loadAuthority(pair)));
    const request = { number: 0n, revoked: [], now: new Date() };
    const lists = await Promise.all(issuers.map(async (each) => [each.certPem, (await issueCrl(each, request)).pem]));
    this.write("crl.pem", lists.flat().join("\n"));
    mkdirSync(join(this.folder, "broker"));
    for (const { name, certPem, keyPem } of leaves) {
      this.write(`${name}.pem`, certPem);
      this.write(`${name}.key`, keyPem);
      if (name === "svc-broker") this.write("broker.pins", `${pinOf(new X509Certificate(certPem).publicKey)}\n`);
    }
    this.#tls = new Map(
      leaves.map(({ name, certPem, keyPem }) => [name, { ca: root.certPem, cert: certPem, key: keyPem }]),
    );
    const signing = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    this.write("signing.key", signing.export({ type: "pkcs8", format: "pem" }) as string);
    this.write("network.key", "00112233445566778899aabbccddeeff");
    mkdirSync(this.stateDir);
    return { brokerPort: await freePort() };
  }

  write(name: string, content: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  /** TLS options of one of our certificates. */
  tls(name: string): ClientTls {
    const tls = this.#tls.get(name);
    if (!tls) throw new Error(`no certificate of ${name}`);
    return tls;
  }

  backendConfig(brokerPort: number, changes: object = {}): object {
    return {
      ...this.common("backend"),
      listen: { hosts: ["127.0.0.1"], port: 0 },
      stateDir: this.stateDir,
      signingKeyFile: join(this.folder, "signing.key"),
      broker: {
        ...{ host: "127.0.0.1", port: brokerPort, servername: `broker.${TENANT}.trustkern.internal` },
        pinsFile: join(this.folder, "broker.pins"),
      },
      network: {
        network_name: "trustkern",
        channel: 15,
        pan_id: "7472",
        ext_pan_id: "7472757374000001",
        mesh_local_prefix: "fd00:7472:7573:746b::/64",
        networkKeyFile: join(this.folder, "network.key"),
      },
      gateways: ["gw-01", "gw-02"],
      coap: "coap://127.0.0.1:5683",
      ...changes,
    };
  }

  /** A broker with the lists that it starts with: it finds no backend to ask for others. */
  brokerConfig(port: number): object {
    return {
      ...this.common("broker"),
      listen: { hosts: ["127.0.0.1"], port },
      crlFile: join(this.folder, "crl.pem"),
      stateDir: join(this.folder, "broker"),
      trust: { url: "https://127.0.0.1:1", servername: `backend.${TENANT}.trustkern.internal`, pollSeconds: 30 },
    };
  }

  common(name: string): object {
    const tls = {
      caFile: join(this.folder, "ca.pem"),
      certFile: join(this.folder, `svc-${name}.pem`),
      keyFile: join(this.folder, `svc-${name}.key`),
    };
    return { name, tenant: TENANT, controlSocket: this.socket(name), tls };
  }

  socket(name: string): string {
    return join(this.folder, `${name}.sock`);
  }

  /** Starts a service as the embedded engine does: it may read the code and this folder, and write this folder. */
  start(name: string, config: object): Started {
    const file = this.write(`${name}.json`, JSON.stringify(config));
    const permissions = [
      `--allow-fs-read=${ROOT}`,
      `--allow-fs-read=${this.folder}`,
      `--allow-fs-write=${this.folder}`,
    ];
    const main = join(ROOT, "services", name, "main.ts");
    const child = spawn(
      process.execPath,
      ["--permission", "--allow-net", "--disable-warning=ExperimentalWarning", ...permissions, main, "--config", file],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.running.push(child);
    let written = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      written += chunk;
    });
    const log = () =>
      written
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    return { child, log, stderr: text(child.stderr) };
  }

  /** Starts the backend and waits until it answers. */
  async startBackend(config: object): Promise<Started> {
    const started = this.start("backend", config);
    const status = await this.waitStatus("backend", ({ pid, port }) => pid === started.child.pid && port !== undefined);
    this.#backendPort = status.port as number;
    return started;
  }

  /** The status of a service, once it is as wanted. */
  async waitStatus(
    name: string,
    wanted: (status: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    return until(async () => {
      const status = (await callControl(this.socket(name), "GET", "/status").catch(() => null)) as never;
      return status && wanted(status) ? (status as Record<string, unknown>) : null;
    });
  }

  /** Calls the backend with a certificate of ours; `null` for none. */
  call(name: string | null, method: string, path: string, body?: unknown, options: object = {}): Promise<Answer> {
    const tls = name === null ? { ca: this.tls("op-admin").ca } : this.tls(name);
    const servername = `backend.${TENANT}.trustkern.internal`;
    return new Promise((resolve, reject) => {
      const where = { host: "127.0.0.1", port: this.#backendPort, servername, method, path, agent: false };
      const call = request({ ...where, ...tls, ...options }, (response) => {
        text(response)
          .then((json) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(json) }))
          .catch(reject);
      });
      call.on("error", reject);
      call.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
    });
  }

  /** Kills a process and waits for its end. */
  async kill({ child }: Pick<Started, "child">, signal: NodeJS.Signals = "SIGKILL"): Promise<number | null> {
    const exited = once(child, "exit");
    child.kill(signal);
    return (await exited)[0] as number | null;
  }

  /** Ends whatever a test left, and removes its folder with all keys. */
  async close(): Promise<void> {
    const left = this.running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(left.map((child) => this.kill({ child })));
    rmSync(this.folder, { recursive: true });
  }
}

/** Asks again until there is an answer, for at most a minute: a busy machine starts a service in a quarter of that. */
export async function until<T>(ask: () => T | null | undefined | Promise<T | null | undefined>): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const answer = await ask();
    if (answer) return answer;
    await delay(50);
  }
  throw new Error("nothing came in 60 s");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
