import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { CertifiedKey } from "../../../certs/issue.ts";
import type { Component } from "../../../model/component.ts";
import type { Placement } from "../../../model/placement.ts";
import { broker } from "../../../modules/mosquitto/component.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { EMPTY_DYNAMIC_SECURITY } from "../../../services/broker-guard/end-sessions.ts";
import { LIVE_FILES } from "../../../services/broker-guard/in-force.ts";
import { until } from "../broker/harness.ts";
import type { Authorities } from "./authorities.ts";
import { leafOf } from "./authorities.ts";

/** Who a container is. */
const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 10_001, gid: 10_001 } : {};

/** MQTT 3.1.1, section 3.1: client id "late", a clean session, and 60 s between two signs of life. */
const CONNECT = Buffer.from("101000044d5154540402003c00046c617465", "hex");

/** The real Mosquitto alone, with the configuration that `modules/mosquitto` renders. */
export class Mosquitto {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-pki-"));
  log = "";
  port = 0;
  #child: ChildProcess | undefined;
  #component: Component | undefined;
  readonly #authorities: Authorities;

  constructor(authorities: Authorities) {
    this.#authorities = authorities;
  }

  /** Starts it with these revocation lists, each of them PEM. */
  async start(crls: readonly string[]): Promise<void> {
    const { certPem, keyPem } = await leafOf(this.#authorities, "svc-broker");
    this.port = await freePort();
    const files = { "ca.crt": this.#authorities.root.certPem, "tls.crt": certPem, "tls.key": keyPem };
    for (const [name, content] of Object.entries({ ...files, [LIVE_FILES.sessions]: EMPTY_DYNAMIC_SECURITY }))
      this.#write(this.#at(name), content);
    mkdirSync(this.#at("state"), { mode: 0o700 });
    this.#component = broker(
      { ...defaultDeployment(), engine: "docker", tenant: "acme", gateways: ["gw-01", "gw-02"] },
      this.#placement(),
    );
    for (const { path, content } of this.#component.files)
      this.#write(path, content.replaceAll(/\/run\/broker(?=[/"])/g, this.folder));
    this.#publish(crls);
    await this.#run();
  }

  /** What a client needs to know of the server. */
  get where(): ConnectionOptions {
    const { certPem } = this.#authorities.root;
    return { host: "127.0.0.1", port: this.port, servername: "broker.acme.trustkern.internal", ca: certPem };
  }

  /** An MQTT client that does not connect again. */
  client({ certPem, keyPem }: CertifiedKey): MqttClient {
    const own = { ...this.where, cert: certPem, key: keyPem } as IClientOptions;
    const client = mqtt.connect({ ...own, protocol: "mqtts", protocolVersion: 4, reconnectPeriod: 0 });
    return client.on("error", () => undefined);
  }

  /** A connection whose handshake is done, and which says CONNECT when it is told to; `connack` gives the code of the answer. */
  async handshake({ certPem, keyPem }: CertifiedKey): Promise<{ readonly connack: () => Promise<number | undefined> }> {
    const from = this.log.length;
    const socket = connectTls({ ...this.where, cert: certPem, key: keyPem }).on("error", () => undefined);
    await once(socket, "secureConnect");
    await this.logged(/New connection from/, from);
    return {
      connack: async () => {
        socket.write(CONNECT);
        const [answer] = (await Promise.race([once(socket, "data"), once(socket, "close")])) as [unknown];
        socket.destroy();
        return Buffer.isBuffer(answer) ? answer[3] : undefined;
      },
    };
  }

  /** What it staples to its certificate when it is asked to; null for nothing. */
  async staple({ certPem, keyPem }: CertifiedKey): Promise<Buffer | null> {
    const socket = connectTls({ ...this.where, cert: certPem, key: keyPem, requestOCSP: true });
    const [stapled] = (await once(socket, "OCSPResponse")) as [Buffer | null];
    socket.destroy();
    return stapled;
  }

  /** What it wrote after its first `from` characters, once it matches. */
  async logged(pattern: RegExp, from: number): Promise<string> {
    await until(async () => pattern.test(this.log.slice(from)));
    return this.log.slice(from);
  }

  /** Ends it and starts it with other revocation lists. */
  async restart(crls: readonly string[]): Promise<void> {
    await this.#end();
    this.#publish(crls);
    await this.#run();
  }

  /** Writes these files, by the name that the rendered configuration has for each, and has it read everything again. */
  async reload(
    files: Readonly<Partial<Record<"crlfile" | "cafile" | "certfile" | "keyfile", string | null>>>,
  ): Promise<void> {
    for (const [setting, content] of Object.entries(files)) {
      const path = this.#fileOf(setting);
      if (content === null) rmSync(path);
      else this.#write(path, content ?? "");
    }
    const from = this.log.length;
    this.#child?.kill("SIGHUP");
    await this.logged(/Reloading config/, from);
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.folder, { recursive: true });
  }

  async #run(): Promise<void> {
    const { uid, gid } = UNPRIVILEGED;
    for (const file of [".", ...readdirSync(this.folder, { recursive: true, encoding: "utf8" })])
      if (uid !== undefined) chownSync(this.#at(file), uid, gid);
    const env = this.#component?.environment ?? {};
    const stdio = ["ignore", "ignore", "pipe"] as const;
    const child = spawn("/usr/sbin/mosquitto", ["-c", this.#at("mosquitto.conf")], {
      stdio: [...stdio],
      env,
      ...UNPRIVILEGED,
    });
    const from = this.log.length;
    child.stderr?.on("data", (chunk: Buffer) => {
      this.log += chunk;
    });
    this.#child = child;
    await this.logged(/version \S+ running/, from);
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }

  /** Writes the lists where the rendered configuration reads them. */
  #publish(crls: readonly string[]): void {
    this.#write(this.#fileOf("crlfile"), crls.join(""));
  }

  #fileOf(setting: string): string {
    const conf = readFileSync(this.#at("mosquitto.conf"), "utf8");
    const file = new RegExp(`^${setting} (.+)$`, "m").exec(conf)?.[1];
    if (file === undefined) throw new Error(`mosquitto.conf has no ${setting}`);
    return file;
  }

  #write(path: string, content: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode: 0o600 });
    if (UNPRIVILEGED.uid !== undefined) chownSync(path, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  }

  #at(file: string): string {
    return join(this.folder, file);
  }

  #placement(): Placement {
    return {
      endpoint: () => ({ host: "127.0.0.1", port: this.port, servername: "broker.acme.trustkern.internal" }),
      secretFile: (_, secret) => this.#at(secret),
      volumeDir: (_, volume) => this.#at(volume),
      configFile: (_, file) => this.#at(file),
      socket: (_, socket) => this.#at(socket),
      listenAddresses: () => ["127.0.0.1"],
    };
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
