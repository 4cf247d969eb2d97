import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { generate, type ParsedPacket, parse } from "coap-packet";
import { connectAsync, type MqttClient } from "mqtt";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueCrl } from "../../../certs/crl.ts";
import { type DeploymentCertificates, issueDeploymentCertificates } from "../../../certs/deployment.ts";
import { createAllowlist } from "../../../protocol/allowlist.ts";
import { envelopeDigest } from "../../../protocol/envelope.ts";
import { encodeReceipts, type Receipt } from "../../../protocol/receipt.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import { receiptTopic, trustTopic } from "../../../protocol/topics.ts";
import type { Verdict } from "../../../protocol/verdict.ts";
import { type CoapClient, createCoapClient } from "../../../services/runtime/coap/client.ts";
import { callControl } from "../../../shared/control-client.ts";
import type { SecurityEvent } from "../../../shared/security-event.ts";
import { makeKey, type TestSensor } from "./test-sensor.ts";

const ROOT = join(import.meta.dirname, "../../..");
const SERVER_NAME = "broker.acme.trustkern.internal";

/** A start takes as long as a busy machine needs. */
const START_MS = 60_000;

type Program = "broker" | "gateway" | "simulator";
const IDENTITY = { broker: "svc-broker", gateway: "gw-01", simulator: "gw-rogue" } as const;
const STATE_DIRS = { broker: ["broker"], gateway: ["state"], simulator: ["sensors"] } as const;

/** What `GET /status` of the gateway answers. */
export interface GatewayStatus {
  readonly ready: boolean;
  readonly reason?: string;
  readonly allowlist: { readonly version: number; readonly tooOld: boolean } | null;
  readonly brokerConnected: boolean;
  readonly counters: {
    readonly accepted: number;
    readonly spooled: number;
    readonly inFlight: number;
    readonly quarantined: number;
    readonly unknownReceipts: number;
    readonly flooded: number;
    readonly rejected: Readonly<Record<string, number>>;
    readonly receipts: Readonly<Record<string, number>>;
  };
}

/** A real gateway process and a real broker process; the test is backend, collector and sensors. */
export class GatewayHarness {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-g-"));
  readonly backendKey = makeKey();
  readonly events: SecurityEvent[] = [];
  /** What the collector received: sensor id and bytes in hex. */
  readonly received: { readonly topic: string; readonly bytes: Buffer }[] = [];
  coapPort = 0;
  #brokerPort = 0;
  #version = 0;
  readonly #children = new Map<string, ChildProcess>();
  readonly #clients: (MqttClient | CoapClient)[] = [];
  readonly #board: Socket = createSocket("udp4").unref();
  #collector: MqttClient | undefined;

  /** @param changes - members of the gateway's configuration, or what makes them once there are certificates */
  async start(
    changes: object | ((pki: DeploymentCertificates) => Promise<object>) = {},
    stateDir = join(this.folder, "state"),
  ): Promise<void> {
    const pki = await this.#issueCertificates();
    // The permission model takes a path for a folder only where it is one.
    for (const folder of ["state", "sensors", "broker"]) mkdirSync(this.at(folder));
    [this.coapPort, this.#brokerPort] = [await freeUdpPort(), await freeTcpPort()];
    writeFileSync(this.at("backend.pub"), this.backendKey.publicKey);
    const common = { tenant: "acme" };
    this.#configure("broker", {
      ...common,
      name: "broker",
      listen: { hosts: ["127.0.0.1"], port: this.#brokerPort },
      tls: this.#tlsFiles("svc-broker"),
      crlFile: this.at("crl.pem"),
      stateDir: this.at("broker"),
      // No backend answers there: the lists that it starts with hold.
      trust: { url: "https://127.0.0.1:1", servername: "backend.acme.trustkern.internal", pollSeconds: 30 },
    });
    this.#configure("gateway", {
      ...common,
      name: "gw-01",
      coap: { hosts: ["127.0.0.1"], port: this.coapPort },
      broker: this.#broker(),
      tls: this.#tlsFiles("gw-01"),
      stateDir,
      backendKeyFile: this.at("backend.pub"),
      ...(typeof changes === "function" ? await changes(pki) : changes),
    });
    await this.startBroker();
    await this.startGateway();
  }

  at(file: string): string {
    return join(this.folder, file);
  }

  async startBroker(): Promise<void> {
    this.#spawn("broker", []);
    await until(async () => this.#status("broker").then(() => true), START_MS);
  }

  /** @param prelude - shell commands that run in the gateway's process before it starts */
  async startGateway(extraDirs: readonly string[] = [], prelude?: string): Promise<void> {
    this.#spawn("gateway", extraDirs, prelude);
    await until(async () => this.status().then(() => true), START_MS);
  }

  /** Simulated sensors that send to the gateway, and the rogue gateway. */
  async startSimulator(): Promise<void> {
    this.#configure("simulator", {
      tenant: "acme",
      name: "simulator",
      stateDir: this.at("sensors"),
      gatewayCoap: { host: "127.0.0.1", port: this.coapPort },
      rogue: { broker: this.#broker(), tls: this.#tlsFiles("gw-rogue") },
    });
    this.#spawn("simulator", []);
    await until(async () => this.#status("simulator").then(() => true), START_MS);
  }

  async simulatorCounters(): Promise<Readonly<Record<string, number>>> {
    return ((await this.#status("simulator")) as { counters: Record<string, number> }).counters;
  }

  async simulator<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    return (await callControl(this.at("simulator.sock"), method, path, body)) as T;
  }

  async kill(name: Program, signal: NodeJS.Signals = "SIGKILL"): Promise<number | null> {
    const child = this.#children.get(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    await once(child, "exit");
    return child.exitCode;
  }

  isAlive(name: Program): boolean {
    const child = this.#children.get(name);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async stop(): Promise<void> {
    this.#board.close();
    for (const client of this.#clients) "request" in client ? client.close() : client.end(true);
    for (const name of ["simulator", "gateway", "broker"] as const) await this.kill(name);
    rmSync(this.folder, { recursive: true });
  }

  async status(): Promise<GatewayStatus> {
    return (await this.#status("gateway")) as GatewayStatus;
  }

  control(path: string, body: unknown): Promise<unknown> {
    return callControl(this.at("gateway.sock"), "POST", path, body);
  }

  /** A radio with an address of its own. */
  radio(): CoapClient {
    const radio = createCoapClient(
      { address: "127.0.0.1", port: this.coapPort },
      { ackTimeoutMs: 500, maxRetransmit: 3 },
    );
    this.#clients.push(radio);
    return radio;
  }

  /** Sends an envelope from a new radio; `2.04`, or the code and the payload. */
  async send(bytes: Uint8Array): Promise<string> {
    const { code, payload } = await this.radio().request({ method: "POST", path: "/tk/v1", payload: bytes });
    return code === "2.04" ? code : `${code} ${payload}`;
  }

  /** Sends an envelope from one and the same UDP port, with that message id and token. */
  async sendAs(messageId: number, token: Buffer, payload: Uint8Array): Promise<Pick<ParsedPacket, "code" | "token">> {
    const options = ["tk", "v1"].map((part) => ({ name: "Uri-Path" as const, value: Buffer.from(part) }));
    const request = { confirmable: true, code: "POST", messageId, token, options, payload: Buffer.from(payload) };
    this.#board.send(generate(request), this.coapPort, "127.0.0.1");
    const [datagram] = (await once(this.#board, "message", { signal: AbortSignal.timeout(5000) })) as [Buffer];
    const { code, token: answered } = parse(datagram);
    return { code, token: answered };
  }

  async mqtt(name: string): Promise<MqttClient> {
    const { caFile, certFile, keyFile } = this.#tlsFiles(name);
    const client = await connectAsync({
      protocol: "mqtts",
      host: "127.0.0.1",
      port: this.#brokerPort,
      servername: SERVER_NAME,
      ca: readFileSync(caFile),
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      protocolVersion: 4,
      reconnectPeriod: 0,
    });
    client.on("error", () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** Publishes a signed allowlist with those sensors, and waits until the gateway has it. */
  async trust(
    sensors: readonly Pick<TestSensor, "id" | "publicKey">[],
    options: { readonly ageHours?: number; readonly revoked?: readonly TestSensor[] } = {},
  ): Promise<void> {
    await this.publishTrust(await this.allowlist(sensors, options));
    await until(async () => (await this.status()).allowlist?.version === this.#version);
  }

  /** The next signed allowlist, with those sensors. */
  allowlist(
    sensors: readonly Pick<TestSensor, "id" | "publicKey">[],
    { ageHours = 0, revoked = [] }: { readonly ageHours?: number; readonly revoked?: readonly TestSensor[] } = {},
  ): Promise<string> {
    this.#version += 1;
    return createAllowlist(
      {
        audience: "gateway/gw-01",
        version: this.#version,
        issuedAtMs: Date.now() - ageHours * 3_600_000,
        sensors: sensors.map(({ id, publicKey }) => ({ sensorId: id, publicKey, maker: "acme" })),
        revoked: [{ maker: "acme", sensorIds: revoked.map(({ id }) => id) }],
      },
      p256Signer(this.backendKey.privateKey),
    );
  }

  async publishTrust(dsse: string): Promise<void> {
    const backend = await this.mqtt("svc-backend");
    await backend.publishAsync(trustTopic("gw-01"), dsse, { qos: 1, retain: true });
    await backend.endAsync();
  }

  /** Listens as the collector from now on; sends no receipts by itself. */
  async collect(): Promise<void> {
    this.#collector = await this.mqtt("svc-collector");
    this.#collector.on("message", (topic, bytes) => this.received.push({ topic, bytes }));
    await this.#collector.subscribeAsync("tk/v1/+/up/+", { qos: 1 });
  }

  async receipts(pairs: readonly (readonly [bytes: Uint8Array, verdict: Verdict])[]): Promise<void> {
    const receipts = pairs.map(([bytes, verdict]): Receipt => [envelopeDigest(bytes).subarray(0, 16), verdict]);
    await this.#collector?.publishAsync(receiptTopic("gw-01"), Buffer.from(encodeReceipts(receipts)), { qos: 1 });
  }

  #configure(name: string, config: object): void {
    writeFileSync(this.at(`${name}.json`), JSON.stringify({ ...config, controlSocket: this.at(`${name}.sock`) }));
  }

  #broker() {
    return { host: "127.0.0.1", port: this.#brokerPort, servername: SERVER_NAME };
  }

  #tlsFiles(name: string) {
    return { caFile: this.at("ca.crt"), certFile: this.at(`${name}.crt`), keyFile: this.at(`${name}.key`) };
  }

  #status(name: string): Promise<unknown> {
    return callControl(this.at(`${name}.sock`), "GET", "/status");
  }

  #spawn(name: Program, extraDirs: readonly string[], prelude = ":"): void {
    const own = IDENTITY[name];
    const readable = [
      ROOT,
      ...["ca.crt", "crl.pem", `${own}.crt`, `${own}.key`, "backend.pub", "token"].map((file) => this.at(file)),
    ];
    const state = [...STATE_DIRS[name].map((dir) => this.at(dir)), ...extraDirs];
    const shared = [this.at(`${name}.json`), this.at(`${name}.sock`), ...state];
    const args = [
      "--permission",
      "--allow-net",
      ...[...readable, ...shared].map((path) => `--allow-fs-read=${path}`),
      ...shared.map((path) => `--allow-fs-write=${path}`),
      join(ROOT, `services/${name}/main.ts`),
      "--config",
      this.at(`${name}.json`),
    ];
    const child = spawn("/bin/sh", ["-c", `${prelude}; exec "$0" "$@"`, process.execPath, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { event } = JSON.parse(line) as { event?: SecurityEvent };
      if (event && name === "gateway") this.events.push(event);
    });
    this.#children.set(name, child);
  }

  async #issueCertificates(): Promise<DeploymentCertificates> {
    const made = await issueDeploymentCertificates({
      tenant: "acme",
      clock: () => new Date(),
      services: [
        { name: "svc-broker", ipAddresses: ["127.0.0.1"] },
        ...["svc-collector", "svc-backend"].map((name) => ({ name })),
      ],
      gateways: ["gw-01", "gw-rogue"],
      operators: [],
    });
    writeFileSync(this.at("ca.crt"), made.root.certPem);
    const lists = [made.root, ...Object.values(made.intermediates)].map(async (pair) => {
      const { pem } = await issueCrl(await loadAuthority(pair), { number: 1n, revoked: [], now: new Date() });
      return `${pair.certPem}\n${pem}`;
    });
    writeFileSync(this.at("crl.pem"), (await Promise.all(lists)).join("\n"));
    for (const { name, certPem, keyPem } of made.leaves) {
      writeFileSync(this.at(`${name}.crt`), certPem);
      writeFileSync(this.at(`${name}.key`), keyPem, { mode: 0o600 });
    }
    return made;
  }
}

/** Asks until the answer is yes; throws what the last attempt threw. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    let thrown: unknown = new Error("condition not met in time");
    try {
      if (await condition()) return;
    } catch (error) {
      thrown = error;
    }
    if (Date.now() > end) throw thrown;
    await delay(30);
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Outside the range of what connects: who tries a port where nobody listens could else get it, and be answered by itself. */
async function freeTcpPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const server = createServer().listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(
      () => true,
      () => false,
    );
    server.close();
    if (free) return port;
  }
}
