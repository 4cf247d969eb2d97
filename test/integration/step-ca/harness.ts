import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as https from "node:https";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { issueLeaves } from "../../../certs/deployment.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { generateKeyPair, P256, privateKeyPem } from "../../../certs/keys.ts";
import { x509 } from "../../../certs/x509.ts";
import type { Component } from "../../../model/component.ts";
import { type Placement, serverName } from "../../../model/placement.ts";
import { buildModel } from "../../../modules/index.ts";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { ensureTool } from "../../../operations/tools/ensure-tool.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { layoutOf } from "../../../stacks/host/layout.ts";
import { prepareSecrets } from "../../../stacks/host/secrets.ts";
import { PROJECT } from "../../support/deployment.ts";
import { type Ended, runProgram } from "../../support/run.ts";

/** What the server said. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly protocol: string | null;
}

/** Who asks, and how. */
export interface Asked {
  readonly as?: CertifiedKey;
  readonly method?: string;
  readonly body?: unknown;
  readonly ca?: string;
  readonly servername?: string;
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
}

/** A real step-ca with what the deployment's own code makes for it, and the real `step` as its client. */
export class StepCaHarness {
  readonly tenant = "acme";
  readonly folder = mkdtempSync(join(tmpdir(), "tk-step-ca-"));
  readonly layout = layoutOf(join(this.folder, "state"), tmpdir());
  readonly servername = serverName("step-ca", this.tenant);
  component: Component | undefined;
  port = 0;
  log = "";
  #programs: Readonly<Record<string, string>> = {};
  #child: ChildProcess | undefined;
  #count = 0;

  /** Finds the programs, makes the deployment's secrets, and starts. */
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
    this.port = await freePort();
    await this.prepare(false);
    await this.run();
  }

  /** Fills the secret store as a deploy does; `existing` as the second one and every later one. */
  async prepare(existing: boolean): Promise<void> {
    const { layout, tenant } = this;
    const usual = defaultDeployment();
    const images = { ...usual.images, source: "packages" } as const;
    const deployment = { ...usual, engine: "docker", tenant, images, gateways: ["gw-01", "gw-02"] } as const;
    const model = buildModel(deployment, this.#placement());
    this.component = model.components.find(({ name }) => name === "step-ca");
    const secretFile = (component: string, secret: string): string => join(layout.secretsDir, component, secret);
    const clock = () => new Date();
    const onEvent = () => undefined;
    const made = await prepareSecrets({
      layout,
      model,
      secretFile,
      tenant,
      clock,
      existing,
      fixture: undefined,
      onEvent,
    });
    const { leaves } = await issueLeaves(made.issuers, {
      clock,
      services: [],
      gateways: [],
      operators: ["op-admin"],
    });
    for (const { certPem, keyPem } of leaves) {
      mkdirSync(join(layout.secretsDir, "op-admin"), { recursive: true });
      writeFileSync(secretFile("op-admin", "tls.crt"), certPem);
      writeFileSync(secretFile("op-admin", "tls.key"), keyPem);
    }
  }

  #placement(): Placement {
    const { layout, tenant } = this;
    return {
      endpoint: (component) => ({
        host: "127.0.0.1",
        port: this.port,
        servername: serverName(component, tenant),
      }),
      secretFile: (component, secret) => join(layout.secretsDir, component, secret),
      volumeDir: (component, volume) => join(layout.volumesDir, component, volume),
      configFile: (component, file) => join(layout.configDir, component, file),
      socket: (component, socket) => join(layout.runDir, `${component}.${socket}`),
      listenHost: "127.0.0.1",
    };
  }

  /** Starts the component's command, and waits for its health command. */
  async run(): Promise<void> {
    for (const { path } of this.component?.volumes ?? []) mkdirSync(path, { recursive: true, mode: 0o700 });
    const [program = "", ...args] = this.component?.command ?? [];
    const child = spawn(this.#programs[program] ?? "", args, {
      env: { STEPPATH: join(this.folder, "steppath") },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.log += chunk;
    });
    this.#child = child;
    for (let left = 100; (await this.health()).code !== 0; left -= 1) {
      if (left === 0 || child.exitCode !== null) throw new Error(`step-ca is not healthy: ${this.log}`);
      await pause(100);
    }
  }

  /** Ends the server. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the component's own health command says. */
  health(): Promise<Ended> {
    const { health } = this.component ?? {};
    if (health?.kind !== "command") throw new Error("no health command");
    const [program, ...args] = health.command;
    return runProgram(this.#programs[program] ?? "", args, { env: { STEPPATH: join(this.folder, "steppath") } });
  }

  /** A secret of the deployment. */
  secret(component: string, name: string): string {
    return readFileSync(join(this.layout.secretsDir, component, name), "utf8");
  }

  /** A certificate of the deployment with its key. */
  leaf(component: string, stem = "tls"): CertifiedKey {
    return { certPem: this.secret(component, `${stem}.crt`), keyPem: this.secret(component, `${stem}.key`) };
  }

  /** One request over TLS. */
  async ask(path: string, asked: Asked = {}): Promise<Answer> {
    const { as, method = "GET", body } = asked;
    const sent = https.request({
      host: "127.0.0.1",
      port: this.port,
      path,
      method,
      agent: false,
      ca: asked.ca ?? this.secret("step-ca", "ca.crt"),
      servername: asked.servername ?? this.servername,
      ...(asked.maxVersion === undefined ? {} : { minVersion: "TLSv1.2", maxVersion: asked.maxVersion }),
      ...(as === undefined ? {} : { cert: as.certPem, key: as.keyPem }),
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(sent, "response");
    const protocol: string | null = response.socket.getProtocol();
    return { status: response.statusCode, body: await text(response), protocol };
  }

  /** A token of the real client, signed by who vouches. */
  async token(by: CertifiedKey, subject: string, names: readonly string[] = []): Promise<string> {
    this.#count += 1;
    const at = (kind: string): string => join(this.folder, "tokens", `${this.#count}.${kind}`);
    mkdirSync(dirname(at("crt")), { recursive: true });
    writeFileSync(at("crt"), by.certPem);
    writeFileSync(at("key"), by.keyPem);
    const url = `https://127.0.0.1:${this.port}`;
    const ended = await runProgram(
      this.#programs["/usr/local/bin/step"] ?? "",
      [
        ...["ca", "token", subject, "--ca-url", url, "--root", join(this.layout.secretsDir, "step-ca", "ca.crt")],
        ...["--provisioner", "gateways", "--x5c-cert", at("crt"), "--x5c-key", at("key")],
        ...names.flatMap((name) => ["--san", name]),
      ],
      { env: { STEPPATH: join(this.folder, "steppath") } },
    );
    if (ended.code !== 0) throw new Error(ended.stderr);
    return ended.stdout.trim();
  }

  /** Asks for a certificate with a token; the answer's key is that of the request. */
  async sign(ott: string, subject: string, names = [subject], more: Readonly<Record<string, unknown>> = {}) {
    const { csr, keyPem } = await request(subject, names);
    const answer = await this.ask("/1.0/sign", { method: "POST", body: { csr, ott, ...more } });
    const { certChain = [] } = answer.status === 201 ? (JSON.parse(answer.body) as { certChain?: string[] }) : {};
    return { ...answer, leaf: { certPem: certChain.join(""), keyPem } };
  }
}

/** A new key, and a request for its certificate (RFC 2986). */
export async function request(subject: string, names = [subject]): Promise<{ csr: string; keyPem: string }> {
  const keys = await generateKeyPair();
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name([{ CN: [subject] }]),
    keys,
    signingAlgorithm: { ...P256, hash: "SHA-256" },
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value })))],
  });
  return { csr: `${csr.toString("pem")}\n`, keyPem: await privateKeyPem(keys.privateKey) };
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
