import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { StoredAuthority } from "../../../certs/authority.ts";
import { issueServiceLeaf } from "../../../certs/classes/leaf-service.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { issuingServerName, type OnlineClass } from "../../../certs/names.ts";
import { ONLINE_CLASSES } from "../../../certs/step-ca/names.ts";
import type { StepCaEndpoint } from "../../../certs/step-ca/transport.ts";
import type { Component } from "../../../model/component.ts";
import { type Placement, serverName } from "../../../model/placement.ts";
import { stepCa } from "../../../modules/step-ca/component.ts";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { ensureTool } from "../../../operations/tools/ensure-tool.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { fillStepCaSecrets } from "../../../stacks/host/step-ca-authority.ts";
import { type Ended, runProgram } from "../../support/run.ts";
import { makeAuthorities, makeSecrets } from "./authorities.ts";
import { WebhookServer } from "./webhook.ts";

const TENANT = "acme";
/** Opens the operators' key. */
export const PASSPHRASE = "correct horse battery staple";
const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));

/** The two real step-cas with what the host's own code makes for them, and a stand-in for the backend. */
export class StepCaHarness {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-step-ca-"));
  readonly authoritiesDir = join(this.folder, "authorities");
  readonly webhook = new WebhookServer();
  readonly ports = { gateways: 0, operators: 0, backend: 0 };
  readonly components = new Map<OnlineClass, Component>();
  rootPem = "";
  log = "";
  #authorities: Readonly<Record<string, StoredAuthority>> = {};
  #programs: Readonly<Record<string, string>> = {};
  readonly #children = new Map<OnlineClass, ChildProcess>();

  /** Finds the programs, makes authorities and secrets, and starts all three. */
  async start(): Promise<void> {
    const tools = {
      cacheDir: defaultCacheDir(process.env, homedir()),
      toolsDir: join(PROJECT, "tools"),
      env: process.env,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    };
    this.#programs = {
      "/usr/local/bin/step-ca": await ensureTool(tools, "step-ca"),
      "/usr/local/bin/step": await ensureTool(tools, "step"),
    };
    this.#authorities = await makeAuthorities(TENANT, this.authoritiesDir);
    this.rootPem = this.authority("root").certPem;
    makeSecrets(this.rootPem, this.secretFile);
    await this.openWebhook();
    for (const leafClass of ONLINE_CLASSES) this.ports[leafClass] = await freePort();
    await this.fill();
    for (const leafClass of ONLINE_CLASSES) await this.run(leafClass);
  }

  /** Fills the secret store as a deploy does. */
  async fill(): Promise<void> {
    const usual = defaultDeployment();
    const deployment = {
      ...usual,
      engine: "docker",
      tenant: TENANT,
      gateways: ["gw-01", "gw-02"],
      gatewaysElsewhere: ["gw-07"],
    } as const;
    for (const leafClass of ONLINE_CLASSES)
      this.components.set(leafClass, stepCa(deployment, this.#placement(), leafClass));
    await fillStepCaSecrets({
      model: { engine: "docker", components: [...this.components.values()], flows: [] },
      authoritiesDir: this.authoritiesDir,
      secretFile: this.secretFile,
      passphrase: () => PASSPHRASE,
    });
  }

  readonly secretFile = (component: string, secret: string): string => join(this.folder, "secrets", component, secret);

  /** A secret of the deployment. */
  secret(component: string, name: string): string {
    return readFileSync(this.secretFile(component, name), "utf8");
  }

  /** An authority: of a class, of the maker `sensirio` or `other`, or `root`. */
  authority(name: string): StoredAuthority {
    const found = this.#authorities[name];
    if (found === undefined) throw new Error(`no authority ${name}`);
    return found;
  }

  /** The leaf of a service, with the name of its component and the address of this machine. */
  service(name: string): Promise<CertifiedKey> {
    const ipAddresses = ["127.0.0.1"];
    return issueServiceLeaf(this.authority("services"), { name: `svc-${name}`, ipAddresses, now: new Date() });
  }

  /** Where a client finds an online authority. */
  endpoint(leafClass: OnlineClass): StepCaEndpoint {
    const servername = issuingServerName(leafClass, TENANT);
    return { host: "127.0.0.1", port: this.ports[leafClass], servername, rootPem: this.rootPem };
  }

  /** Opens the backend's stand-in, at the port that it had. */
  async openWebhook(more: object = {}, leaf?: CertifiedKey): Promise<void> {
    await this.webhook.close();
    const shown = leaf ?? (await this.service("backend"));
    this.ports.backend = await this.webhook.listen(shown, this.rootPem, this.ports.backend, more);
  }

  /** Starts an authority's own command, and waits for its own health command. */
  async run(leafClass: OnlineClass): Promise<void> {
    const { volumes, command = [] } = this.#component(leafClass);
    for (const { path } of volumes) mkdirSync(path, { recursive: true, mode: 0o700 });
    const [program = "", ...args] = command;
    const child = spawn(this.#programs[program] ?? "", args, {
      env: this.#environment(leafClass),
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.log += chunk;
    });
    this.#children.set(leafClass, child);
    await this.healthy(leafClass);
  }

  /** Waits until an authority answers its health command. */
  async healthy(leafClass: OnlineClass): Promise<void> {
    const child = this.#children.get(leafClass);
    for (let left = 100; (await this.health(leafClass)).code !== 0; left -= 1) {
      if (left === 0 || child?.exitCode !== null) throw new Error(`step-ca is not healthy: ${this.log}`);
      await pause(100);
    }
  }

  /** Sends an authority a signal. */
  signal(leafClass: OnlineClass, signal: NodeJS.Signals): void {
    this.#children.get(leafClass)?.kill(signal);
  }

  /** Ends an authority. */
  async end(leafClass: OnlineClass, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#children.get(leafClass);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Ends everything and removes the folder. */
  async stop(): Promise<void> {
    for (const leafClass of ONLINE_CLASSES) await this.end(leafClass, "SIGKILL");
    await this.webhook.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What an authority's own health command says. */
  health(leafClass: OnlineClass): Promise<Ended> {
    const { health } = this.#component(leafClass);
    if (health.kind !== "command") throw new Error("no health command");
    const [program, ...args] = health.command;
    return runProgram(this.#programs[program] ?? "", args, { env: this.#environment(leafClass) });
  }

  #component(leafClass: OnlineClass): Component {
    const found = this.components.get(leafClass);
    if (found === undefined) throw new Error(`no component ${leafClass}`);
    return found;
  }

  #environment(leafClass: OnlineClass): Record<string, string> {
    return { ...this.#component(leafClass).environment, STEPPATH: join(this.folder, "steppath") };
  }

  #placement(): Placement {
    const portOf: Readonly<Record<string, number>> = {
      backend: this.ports.backend,
      "gateways-ca": this.ports.gateways,
      "operators-ca": this.ports.operators,
    };
    return {
      endpoint: (component) => ({
        host: "127.0.0.1",
        port: portOf[component] ?? 0,
        servername: serverName(component, TENANT),
      }),
      secretFile: this.secretFile,
      volumeDir: (component, volume) => join(this.folder, "volumes", component, volume),
      configFile: (component, file) => join(this.folder, "config", component, file),
      socket: (component, socket) => join(this.folder, "run", `${component}.${socket}`),
      listenAddresses: () => ["127.0.0.1"],
    };
  }
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}
