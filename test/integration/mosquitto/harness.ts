import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueGatewayLeaf } from "../../../certs/classes/leaf-gateway.ts";
import type { Component } from "../../../model/component.ts";
import type { Placement } from "../../../model/placement.ts";
import { broker, SERVICES_PORT } from "../../../modules/mosquitto/component.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { callControl } from "../../../shared/control-client.ts";
import type { SecurityEvent } from "../../../shared/security-event.ts";
import { BrokerHarness, until } from "../broker/harness.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PROGRAM = join(ROOT, "services/broker-guard/main.ts");
/** Who a container is; a root that runs the tests must not keep the broker's rights either. */
const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 10_001, gid: 10_001 } : {};
/** Files of the harness by the names of secrets; what is not here has its own name. */
export const SECRETS: Readonly<Record<string, string>> = {
  "ca.crt": "root.crt",
  "tls.crt": "svc-broker.crt",
  "tls.key": "svc-broker.key",
  "probe-revoked.crt": "svc-probe-revoked.crt",
  "probe-revoked.key": "svc-probe-revoked.key",
};

/** What `GET /status` of the guard answers. */
export interface GuardStatus {
  readonly ready: boolean;
  readonly reason?: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly crl: { readonly issuers: readonly { readonly issuer: string; readonly number: string }[] };
  readonly tls?: { readonly certificate: string; readonly serial: string; readonly anchors: readonly string[] };
}

/** A real Mosquitto behind its guard, with what `modules/mosquitto` renders for engine docker, and a backend of the test. */
export class MosquittoHarness extends BrokerHarness {
  component: Component | undefined;
  log = "";
  /** Replaces the program: what runs instead of the guard's own `main.ts`. */
  program: readonly string[] = [PROGRAM];
  /** Whose configuration it has: on Kubernetes there is a port for services alone. */
  engine: "docker" | "kubernetes" = "docker";
  /** That port. */
  servicesPort = 0;
  /** The oldest that a session gets. @default the guard's own, a day */
  sessionSeconds: number | undefined;

  at(file: string): string {
    return join(this.folder, file);
  }

  override async start(): Promise<void> {
    await this.prepare();
    await this.run();
    await this.ready();
  }

  /** Certificates, and what a deployment writes down. */
  async prepare(): Promise<void> {
    await this.issueAll();
    this.port = await freePort();
    this.servicesPort = await freePort();
    const ports: Readonly<Record<string, number>> = { metrics: 0, [SERVICES_PORT]: this.servicesPort };
    const { at } = { at: (file: string) => this.at(file) };
    const placement: Placement = {
      endpoint: (component, port) => ({
        host: "127.0.0.1",
        port: component === "backend" ? this.feedPort : (ports[port] ?? this.port),
        servername: `${component}.acme.trustkern.internal`,
      }),
      secretFile: (_, secret) => at(SECRETS[secret] ?? secret),
      volumeDir: () => at("state"),
      configFile: (_, file) => at(file),
      socket: (_, socket) => at(socket),
      listenAddresses: () => ["127.0.0.1"],
    };
    const deployment = {
      ...defaultDeployment(),
      engine: this.engine,
      tenant: "acme",
      gateways: ["gw-01", "gw-02"],
    } as const;
    this.component = broker(deployment, placement);
    for (const { path, content, mode } of this.component.files)
      writeFileSync(path, hosted(content, at("live"), this.sessionSeconds), { mode });
    for (const folder of ["state", "live"]) mkdirSync(at(folder), { mode: 0o700 });
  }

  /** Starts the program, in a process group of its own, which a container's processes are too. */
  async run(): Promise<void> {
    this.own();
    const args = ["--disable-warning=ExperimentalWarning", ...this.program, "--config", this.at("config.json")];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, ...UNPRIVILEGED });
    child.stderr.on("data", (chunk: Buffer) => {
      this.log += chunk;
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.log += `${line}\n`;
      const { event } = JSON.parse(line) as { event?: SecurityEvent };
      if (event) this.events.push(event);
    });
    this.child = child;
  }

  /** Gives all files to whom the program runs as. */
  own(): void {
    const { uid, gid } = UNPRIVILEGED;
    if (uid === undefined) return;
    chmodSync(this.folder, 0o700);
    for (const file of [".", ...readdirSync(this.folder)]) chownSync(this.at(file), uid, gid);
  }

  /** A new certificate for a gateway, kept under a name of its own; gives its serial number. */
  async newGateway(name: string, gateway = "gw-01"): Promise<string> {
    const { cert, key } = this.pair("authority");
    const issuer = await loadAuthority({ certPem: cert, keyPem: key });
    this.keep(name, await issueGatewayLeaf(issuer, { name: gateway, now: new Date() }));
    return this.serial(name);
  }

  async guard(): Promise<GuardStatus> {
    return (await callControl(this.at("control"), "GET", "/status")) as GuardStatus;
  }

  /** Waits until the guard says that all is well. */
  async ready(): Promise<void> {
    try {
      await until(async () => (await this.guard()).ready, 60_000);
    } catch (cause) {
      throw new Error(`the guard is not ready; its last lines:\n${this.log.slice(-3000)}`, { cause });
    }
  }

  /** Waits until a list of that number is in force, and the sessions that it ends are ended. */
  async inForce(name: string): Promise<void> {
    const number = String(this.feed.lists.get(name)?.number);
    const issuer = `TrustKern ${name}`;
    await until(async () => {
      const { ready, crl } = await this.guard();
      return ready && crl.issuers.some((each) => each.issuer === issuer && each.number === number);
    }, 60_000);
    await this.nextLook();
  }

  /** Waits until the guard has begun another look, which it does when the one before is over. */
  async nextLook(): Promise<void> {
    const { questions } = this.feed;
    await until(async () => this.feed.questions > questions);
  }

  /** How a connection with a certificate ends: `accepted`, or the code of the error. */
  async attempt(name: string, options = {}): Promise<string> {
    const client = this.client(name, options);
    const result = await new Promise<string>((resolve) => {
      client.once("connect", () => resolve("accepted"));
      client.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
      client.once("close", () => resolve("closed"));
    });
    client.end(true);
    return result;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get process(): ChildProcess | undefined {
    return this.child;
  }

  /** Whether the guard is gone. */
  get ended(): boolean {
    return this.child !== undefined && (this.child.exitCode !== null || this.child.signalCode !== null);
  }

  /** Ends the group of processes with that signal, or the guard alone with SIGTERM. */
  async kill(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    process.kill(signal === "SIGKILL" ? -this.pid : this.pid, signal);
    await gone;
  }

  /** Ends the program with that signal, and starts it again. */
  async restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.kill(signal);
    this.log = "";
    await this.run();
    await this.ready();
  }
}

/** What is rendered for a container, for this machine: another folder in memory, and questions at shorter intervals. */
function hosted(content: string, liveDir: string, sessionSeconds: number | undefined): string {
  const age = sessionSeconds === undefined ? "" : `"sessionSeconds": ${sessionSeconds},\n  `;
  return content
    .replaceAll("/run/broker", liveDir)
    .replace(/"trust": \{/, `${age}"trust": {\n    "pollSeconds": 0.3,`)
    .replace(/,?\s*"metrics": \{[\s\S]*?\n {2}\}/, "");
}

/** A port that is free by now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
