import { spawn } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Component } from "../../../model/component.ts";
import type { Placement } from "../../../model/placement.ts";
import { broker } from "../../../modules/mosquitto/component.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { BrokerHarness, until } from "../broker/harness.ts";

/** Who a container is; a root that runs the tests must not keep the broker's rights either. */
const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 10_001, gid: 10_001 } : {};

/** A real Mosquitto with what `modules/mosquitto` renders for engine docker, and the certificates of {@link BrokerHarness}. */
export class MosquittoHarness extends BrokerHarness {
  component: Component | undefined;
  log = "";

  override async start(): Promise<void> {
    await this.issueAll();
    this.port = await freePort();
    const at = (file: string): string => join(this.folder, file);
    const secrets: Readonly<Record<string, string>> = { "ca.crt": "root.crt", "tls.crt": "svc-broker.crt" };
    const placement: Placement = {
      endpoint: () => ({ host: "127.0.0.1", port: this.port, servername: "broker.acme.trustkern.internal" }),
      secretFile: (_, secret) => at(secrets[secret] ?? "svc-broker.key"),
      volumeDir: () => at("state"),
      configFile: (_, file) => at(file),
      socket: (_, socket) => at(socket),
      listenHost: "127.0.0.1",
    };
    const deployment = {
      ...defaultDeployment(),
      engine: "docker",
      tenant: "acme",
      gateways: ["gw-01", "gw-02"],
    } as const;
    this.component = broker(deployment, placement);
    for (const { path, content, mode } of this.component.files) writeFileSync(path, content, { mode });
    mkdirSync(at("state"), { mode: 0o700 });
    this.run();
    await until(async () => this.log.includes("running"));
  }

  /** Starts the program. */
  run(): void {
    const { uid, gid } = UNPRIVILEGED;
    for (const file of [".", ...readdirSync(this.folder)])
      if (uid !== undefined) chownSync(join(this.folder, file), uid, gid);
    const [program = "", ...args] = this.component?.command ?? [];
    const env = this.component?.environment ?? {};
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env, ...UNPRIVILEGED });
    child.stderr.on("data", (chunk: Buffer) => {
      this.log += chunk;
    });
    this.child = child;
  }

  /** Ends the program with that signal, and starts it again. */
  async restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { child } = this;
    const gone = new Promise((resolve) => child?.once("exit", resolve));
    child?.kill(signal);
    await gone;
    this.log = "";
    this.run();
    await until(async () => this.log.includes("running"));
  }

  /** Runs the component's health check, with some of its arguments replaced. */
  async health(
    replace: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly code: number; readonly out: string }> {
    const { health } = this.component ?? {};
    const [program = "", ...args] = health?.kind === "command" ? health.command : [];
    const child = spawn(
      program,
      args.map((argument) => replace[argument] ?? argument),
      {
        stdio: ["ignore", "pipe", "ignore"],
        env: this.component?.environment ?? {},
        ...UNPRIVILEGED,
      },
    );
    const exit = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
    return { out: await text(child.stdout), code: await exit };
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
