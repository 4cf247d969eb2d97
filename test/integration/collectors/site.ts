import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, loadAuthority } from "../../../certs/authority.ts";
import { issueServiceLeaf } from "../../../certs/classes/leaf-service.ts";
import { createAllowlist } from "../../../protocol/allowlist.ts";
import type { AllowlistDocument } from "../../../protocol/allowlist-document.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import { trustTopic } from "../../../protocol/topics.ts";
import { type BenchSensor, makeSensors } from "../../../scripts/bench/envelopes.ts";
import { callControl } from "../../../shared/control-client.ts";
import { until } from "../broker/harness.ts";
import { activeOf } from "../custody/asking.ts";
import { type CustodyProcesses, custodyProcesses } from "../custody/processes.ts";
import { DatabaseHarness, passwordOf } from "../database/harness.ts";
import { makeKey } from "../gateway/test-sensor.ts";
import { MosquittoHarness } from "../mosquitto/harness.ts";

const ROOT = join(import.meta.dirname, "../../..");
const START_MS = 60_000;
const GATEWAY = "gw-01";
const named = (component: string): string => `${component}.acme.trustkern.internal`;

/** What `GET /status` of a collector answers. */
export interface CollectorStatus {
  readonly ready: boolean;
  readonly reason?: string;
  readonly counters: Readonly<Record<"received" | "accepted" | "receipts", number>>;
  /** Of its own certificate. */
  readonly tls: { readonly serial: string };
}

/** Several collectors with everything that they need, each thing a real process: Mosquitto, database, custody, gateway. */
export class CollectorsSite {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-n-"));
  readonly broker = new MosquittoHarness();
  readonly database = new DatabaseHarness();
  readonly sensors: readonly BenchSensor[];
  coapPort = 0;
  /** Public key that sensors encrypt to. */
  recipient: Uint8Array = new Uint8Array();
  readonly #collectors: (ChildProcess | undefined)[] = [];
  readonly #backendKey = makeKey();
  #custody: CustodyProcesses | undefined;
  #custodyPort = 0;
  #gateway: ChildProcess | undefined;

  /** @param sensors - how many are allowed to send */
  constructor(sensors: number) {
    this.sensors = makeSensors(sensors);
    this.broker.engine = "kubernetes";
  }

  async start(collectors: number): Promise<void> {
    this.database.configure();
    await Promise.all([this.broker.start(), this.database.start().then(() => this.database.migrate())]);
    await this.#startCustody();
    this.broker.feed.documents.set("/v1/allowlist/collector", await this.#allowlist("collector"));
    writeFileSync(this.at("backend.pub"), this.#backendKey.publicKey);
    writeFileSync(this.at("database.password"), passwordOf("collector"));
    for (let number = 0; number < collectors; number += 1) mkdirSync(this.at(`state-${number}`));
    await Promise.all(Array.from({ length: collectors }, (_, number) => this.startCollector(number)));
    await this.#startGateway();
  }

  at(file: string): string {
    return join(this.folder, file);
  }

  /** Starts a collector, and waits until it is ready. */
  async startCollector(number: number): Promise<void> {
    const tls = this.#tls("svc-collector");
    this.#collectors[number] = this.#spawn("collector", `collector-${number}`, {
      name: "collector",
      broker: { host: "127.0.0.1", port: this.broker.servicesPort, servername: named("broker") },
      tls: { ...tls, crlFile: this.broker.at("crl.pem") },
      database: {
        host: "127.0.0.1",
        port: this.database.port,
        database: "trustkern",
        user: "collector",
        passwordFile: this.at("database.password"),
      },
      custody: {
        kind: "mtls",
        host: "127.0.0.1",
        port: this.#custodyPort,
        servername: named("custody-broker"),
      },
      backend: { url: `https://127.0.0.1:${this.broker.feedPort}`, servername: named("backend") },
      backendKeyFile: this.at("backend.pub"),
      stateDir: this.at(`state-${number}`),
      workers: 1,
      sharedSubscription: true,
    });
    await until(async () => (await this.collector(number)).ready, START_MS);
  }

  async collector(number: number): Promise<CollectorStatus> {
    return (await callControl(this.at(`collector-${number}.sock`), "GET", "/status")) as CollectorStatus;
  }

  /** Writes a new certificate of the collectors over the one before; gives its serial number in lower-case hex. */
  async renew(): Promise<string> {
    const issuer = await this.#servicesAuthority();
    this.broker.keep("svc-collector", await issueServiceLeaf(issuer, { name: "svc-collector", now: new Date() }));
    return this.broker.serial("svc-collector").toLowerCase();
  }

  /** Sends a signal to a collector; waits for its end unless it is only to stand still. */
  async signal(number: number, signal: "SIGSTOP" | "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#collectors[number];
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    if (signal !== "SIGSTOP") await gone;
  }

  /** Envelopes that the gateway holds without a receipt. */
  async spooled(): Promise<number> {
    const status = await callControl(this.at("gateway.sock"), "GET", "/status");
    return (status as { readonly counters: { readonly spooled: number } }).counters.spooled;
  }

  async stop(): Promise<void> {
    for (const number of this.#collectors.keys()) await this.signal(number, "SIGKILL");
    if (this.#gateway && this.#gateway.exitCode === null) {
      this.#gateway.kill("SIGKILL");
      await once(this.#gateway, "exit");
    }
    await this.#custody?.end();
    await this.database.close();
    await this.broker.stop();
    rmSync(this.folder, { recursive: true });
  }

  async #startCustody(): Promise<void> {
    const custody = custodyProcesses();
    this.#custody = custody;
    const issuer = await this.#servicesAuthority();
    const { certPem, keyPem } = await issueServiceLeaf(issuer, { name: "svc-custody-broker", now: new Date() });
    const write = (name: string, content: string): string => {
      writeFileSync(custody.at(name), content, { mode: 0o600 });
      return custody.at(name);
    };
    const tls = {
      caFile: write("ca.crt", this.broker.pair("root").cert),
      certFile: write("tls.crt", certPem),
      keyFile: write("tls.key", keyPem),
      crlFile: write("crl.pem", this.broker.feed.bundle()),
    };
    custody.custody();
    custody.broker({ listen: { kind: "mtls", address: { hosts: ["127.0.0.1"], port: 0 }, tls } });
    await custody.until("custody", true);
    await custody.until("broker", true);
    this.#custodyPort = Number((await custody.status("broker")).port);
    this.recipient = (await activeOf(custody.at("manage"))).publicKey;
  }

  async #startGateway(): Promise<void> {
    mkdirSync(this.at("gateway"));
    this.coapPort = await freeUdpPort();
    this.#gateway = this.#spawn("gateway", "gateway", {
      name: GATEWAY,
      coap: { hosts: ["127.0.0.1"], port: this.coapPort },
      broker: { host: "127.0.0.1", port: this.broker.port, servername: named("broker") },
      tls: this.#tls(GATEWAY),
      stateDir: this.at("gateway"),
      backendKeyFile: this.at("backend.pub"),
      receiptTimeoutSeconds: 2,
    });
    const backend = await this.broker.connected("svc-backend");
    const allowlist = await this.#allowlist(`gateway/${GATEWAY}`);
    await backend.publishAsync(trustTopic(GATEWAY), allowlist, { qos: 1, retain: true });
    await backend.endAsync();
    const isReady = async () => {
      const { ready } = (await callControl(this.at("gateway.sock"), "GET", "/status")) as { readonly ready: boolean };
      return ready;
    };
    await until(isReady, START_MS);
  }

  #servicesAuthority(): Promise<Authority> {
    const { cert, key } = this.broker.pair("authority-services");
    return loadAuthority({ certPem: cert, keyPem: key });
  }

  #allowlist(audience: AllowlistDocument["audience"]): Promise<string> {
    const sensors = this.sensors.map(({ id, publicKey }) => ({
      sensorId: id.toString("hex"),
      publicKey,
      maker: "acme",
    }));
    return createAllowlist(
      { audience, version: 1, issuedAtMs: Date.now(), sensors, revoked: [] },
      p256Signer(this.#backendKey.privateKey),
    );
  }

  #tls(name: string) {
    const { ca, cert, key } = this.broker.files(name);
    return { caFile: ca, certFile: cert, keyFile: key };
  }

  #spawn(service: string, name: string, config: object): ChildProcess {
    const controlSocket = this.at(`${name}.sock`);
    writeFileSync(this.at(`${name}.json`), JSON.stringify({ tenant: "acme", controlSocket, ...config }));
    const main = join(ROOT, "services", service, "main.ts");
    return spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", main, "--config", this.at(`${name}.json`)],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}
