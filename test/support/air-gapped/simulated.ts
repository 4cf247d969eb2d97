import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { callControl } from "../../../shared/control-client.ts";
import { PROJECT, scratch } from "../deployment.ts";

/** What sensors of {@link SimulatedSensors} need of a site. */
export interface Gateway {
  /** IP address at which the gateway takes messages. @default 127.0.0.1 */
  readonly host?: string;
  readonly port: number;
  /** Folder with the secrets of a component that may connect to the broker, for the rogue gateway, which is not asked to do anything. */
  readonly secrets: string;
}

/** Simulated sensors as a process of their own: a profile outside of `dev` deploys none. */
export class SimulatedSensors {
  readonly #own = scratch("sensors");
  readonly socket = join(this.#own.dir, "sock");
  #child: ChildProcess | undefined;

  /** @param words that start a program where the site is */
  async start(words: readonly string[], tenant: string, { host = "127.0.0.1", port, secrets }: Gateway): Promise<void> {
    const stateDir = join(this.#own.dir, "state");
    mkdirSync(stateDir);
    const at = (name: string): string => join(secrets, name);
    const broker = { host: "127.0.0.1", port: 8883, servername: `broker.${tenant}.trustkern.internal` };
    const tls = { caFile: at("ca.crt"), certFile: at("tls.crt"), keyFile: at("tls.key") };
    const config = {
      ...{ tenant, name: "simulator", controlSocket: this.socket, stateDir },
      gatewayCoap: { host, port },
      rogue: { broker: { ...broker, pinsFile: at("broker.pins") }, tls },
    };
    const file = join(this.#own.dir, "config.json");
    writeFileSync(file, JSON.stringify(config));
    const service = join(PROJECT, "services", "simulator", "main.ts");
    const [program = "", ...args] = [...words, process.execPath, service, "--config", file];
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
    this.#child = child;
    for (let left = 150; !(await this.ask("GET", "/status").catch(() => undefined)); left -= 1) {
      if (left === 0 || child.exitCode !== null) throw new Error("the simulator does not answer");
      await sleep(200);
    }
  }

  ask(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> {
    return callControl(this.socket, method, path, body);
  }

  async remove(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    this.#own.remove();
  }
}
