import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueGatewayLeaf } from "../../../certs/classes/leaf-gateway.ts";
import { issueDeploymentCertificates } from "../../../certs/deployment.ts";
import { type CertifiedKey, issue } from "../../../certs/issue.ts";
import { leafSubject } from "../../../certs/subject.ts";
import { x509 } from "../../../certs/x509.ts";
import { callControl } from "../../../shared/control-client.ts";
import type { SecurityEvent } from "../../../shared/security-event.ts";
import { TrustFeed } from "./feed.ts";

const ROOT = join(import.meta.dirname, "../../..");
const SERVER_NAME = "broker.acme.trustkern.internal";

/** What `GET /status` of the broker answers. */
export interface BrokerStatus {
  readonly pid: number;
  readonly port: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** A real broker process with certificates of its own and those of a stranger. */
export class BrokerHarness {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-k-"));
  readonly events: SecurityEvent[] = [];
  /** What the backend says is revoked. */
  readonly feed = new TrustFeed();
  feedPort = 0;
  port = 0;
  protected child: ChildProcess | undefined;
  readonly #clients: MqttClient[] = [];

  /** Starts a broker with these limits, which asks the backend that often. */
  async start(limits: object, pollSeconds = 0.3): Promise<void> {
    await this.issueAll();
    const at = (file: string): string => join(this.folder, file);
    const config = {
      name: "broker",
      tenant: "acme",
      controlSocket: at("s"),
      listen: { hosts: ["127.0.0.1"], port: 0 },
      tls: { caFile: at("root.crt"), certFile: at("svc-broker.crt"), keyFile: at("svc-broker.key") },
      crlFile: at("crl.pem"),
      stateDir: at("state"),
      trust: {
        url: `https://127.0.0.1:${this.feedPort}`,
        servername: "backend.acme.trustkern.internal",
        pollSeconds,
      },
      limits,
    };
    mkdirSync(at("state"));
    writeFileSync(at("broker.json"), JSON.stringify(config));
    await this.launch();
  }

  /** Starts the process, in place of the one before, which is killed. */
  async launch(): Promise<void> {
    const at = (file: string): string => join(this.folder, file);
    if (this.child) {
      const gone = once(this.child, "exit");
      this.child.kill("SIGKILL");
      await gone;
      rmSync(at("s"), { force: true });
    }
    const program = join(ROOT, "services/broker/main.ts");
    const allowed = ["--permission", "--allow-net", `--allow-fs-read=${ROOT}`, `--allow-fs-read=${this.folder}`];
    const args = [...allowed, `--allow-fs-write=${this.folder}`, program, "--config", at("broker.json")];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.child = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { event } = JSON.parse(line) as { event?: SecurityEvent };
      if (event) this.events.push(event);
    });
    await until(async () => {
      this.port = (await this.status()).port;
      return this.port > 0;
    }, 60_000);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.end(true);
    this.feed.stop();
    const { child } = this;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(this.folder, { recursive: true });
  }

  async status(): Promise<BrokerStatus> {
    return (await callControl(join(this.folder, "s"), "GET", "/status")) as BrokerStatus;
  }

  /** Paths of the files of an identity, for programs of others. */
  files(name: string): { readonly ca: string; readonly cert: string; readonly key: string } {
    const at = (file: string): string => join(this.folder, file);
    return { ca: at("root.crt"), cert: at(`${name}.crt`), key: at(`${name}.key`) };
  }

  /** TLS options of an identity; `null` for a client without a certificate. */
  tls(name: string | null): ConnectionOptions {
    const own = name === null ? {} : this.#material.get(name);
    return {
      host: "127.0.0.1",
      port: this.port,
      servername: SERVER_NAME,
      ca: this.#material.get("root")?.cert,
      ...own,
    };
  }

  /** An MQTT client that does not connect again. */
  client(name: string | null, options: IClientOptions = {}): MqttClient {
    const own = this.tls(name) as IClientOptions;
    const client = mqtt.connect({ ...own, protocol: "mqtts", protocolVersion: 4, reconnectPeriod: 0, ...options });
    client.on("error", () => {});
    this.#clients.push(client);
    return client;
  }

  /** A client that is connected. */
  async connected(name: string, options: IClientOptions = {}): Promise<MqttClient> {
    const client = this.client(name, options);
    await next(client, "connect");
    return client;
  }

  /** A TLS connection without MQTT. */
  async raw(name: string): Promise<TLSSocket> {
    const socket = connectTls(this.tls(name));
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    return socket;
  }

  /** Waits for a security event of that reason which came after `from` others. */
  async event(reason: string, from = 0): Promise<SecurityEvent> {
    const found = () => this.events.slice(from).find((event) => event.reason === reason);
    await until(async () => found() !== undefined);
    return found() as SecurityEvent;
  }

  readonly #material = new Map<string, { readonly cert: string; readonly key: string }>();

  protected async issueAll(): Promise<void> {
    await this.#issue("", ["gw-01", "gw-02"]);
    await this.#issue("foreign-", ["gw-01"]);
    await this.#forge();
    const own = { ca: this.pair("root").cert, ...this.pair("svc-backend") };
    const of = (name: string): CertifiedKey => ({ certPem: this.pair(name).cert, keyPem: this.pair(name).key });
    this.feedPort = await this.feed.start(own, {
      root: of("root"),
      services: of("authority-services"),
      gateways: of("authority"),
      operators: of("authority-operators"),
    });
    await this.feed.revoke("services", this.serial("svc-probe-revoked"));
    writeFileSync(join(this.folder, "crl.pem"), this.feed.bundle());
  }

  /** Certificate and key of an identity, PEM. */
  pair(name: string): { readonly cert: string; readonly key: string } {
    const pair = this.#material.get(name);
    if (pair === undefined) throw new Error(`no ${name}`);
    return pair;
  }

  /** Serial number of an identity's certificate, in hex. */
  serial(name: string): string {
    return new X509Certificate(this.pair(name).cert).serialNumber;
  }

  async #issue(prefix: string, gateways: readonly string[]): Promise<void> {
    const made = await issueDeploymentCertificates({
      tenant: "acme",
      clock: () => new Date(),
      services: [
        ...["svc-broker", "svc-backend"].map((name) => ({ name, ipAddresses: ["127.0.0.1"] })),
        ...["svc-collector", "svc-database", "svc-probe-revoked"].map((name) => ({ name })),
      ],
      gateways,
      operators: ["op-admin"],
    });
    for (const { name, ...pair } of [{ name: "root", ...made.root }, ...made.leaves]) this.#keep(prefix + name, pair);
    this.#keep(`${prefix}authority`, made.intermediates.gateways);
    this.#keep(`${prefix}authority-services`, made.intermediates.services);
    this.#keep(`${prefix}authority-operators`, made.intermediates.operators);
  }

  /** What somebody with the key of the gateways' authority can make, and a leaf that has ended. */
  async #forge(): Promise<void> {
    const { cert, key } = this.#material.get("authority") ?? { cert: "", key: "" };
    const issuer = await loadAuthority({ certPem: cert, keyPem: key });
    const now = new Date();
    const yesterday = new Date(now.getTime() - 86_400_000);
    this.#keep("ended", await issueGatewayLeaf(issuer, { name: "gw-01", now: yesterday, lifetimeSeconds: 300 }));
    for (const unit of ["services", "gateways"] as const) {
      const forged = await issue(
        {
          tenant: "acme",
          now,
          name: "forged",
          subject: leafSubject(unit, "acme", "svc-collector"),
          validity: { notBefore: yesterday, notAfter: new Date(now.getTime() + 86_400_000) },
          extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
        },
        issuer,
      );
      this.#keep(`forged-${unit}`, { certPem: forged.certPem + cert, keyPem: forged.keyPem });
    }
  }

  /** Keeps a pair under a name, and in files. */
  keep(name: string, pair: CertifiedKey): void {
    this.#keep(name, pair);
  }

  #keep(name: string, { certPem, keyPem }: CertifiedKey): void {
    this.#material.set(name, { cert: certPem, key: keyPem });
    writeFileSync(join(this.folder, `${name}.crt`), certPem);
    writeFileSync(join(this.folder, `${name}.key`), keyPem, { mode: 0o600 });
  }
}

/** Arguments of the next event of that name. */
export function next(client: MqttClient, event: "connect" | "close" | "error"): Promise<readonly unknown[]> {
  return new Promise((resolve) => client.once(event, (...args: unknown[]) => resolve(args)));
}

/** Asks until the answer is yes; throws what the last attempt threw. */
export async function until(condition: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const [yes, thrown] = await condition().then(
      (answer) => [answer, new Error("condition not met in time")] as const,
      (error: unknown) => [false, error] as const,
    );
    if (yes) return;
    if (Date.now() > end) throw thrown;
    await delay(50);
  }
}
