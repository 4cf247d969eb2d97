import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { callControl } from "../../shared/control-client.ts";
import { PROJECT } from "./deployment.ts";
import type { Rotating } from "./rotating.ts";

/** What `GET /status` of a gateway answers, as far as rotations go. */
export interface RemoteStatus {
  readonly brokerConnected: boolean;
  readonly tls?: {
    readonly certificate: string;
    readonly anchors: readonly string[];
    readonly pins: readonly string[];
  };
}

/** A gateway that is a process of its own, beside a deployment that does not have it in its file. */
export class OtherGateway {
  readonly name: string;
  readonly #run: Rotating;
  #child: ChildProcess | undefined;

  constructor(run: Rotating, name: string) {
    [this.#run, this.name] = [run, name];
    mkdirSync(this.#at("state"), { recursive: true });
  }

  /** Has the deployment issue a certificate by hand and a token for it, and puts both where the gateway reads them. */
  async provide(): Promise<void> {
    const file = this.#at("issued.pem");
    rmSync(file, { force: true });
    await this.#trustkern("certs", "issue", this.name, "-o", file);
    const { token } = JSON.parse(await this.#trustkern("--json", "gateway", "token", "issue", this.name)) as {
      token: string;
    };
    const text = readFileSync(file, "utf8");
    const end = text.indexOf("-----BEGIN CERTIFICATE-----");
    this.#write("tls.key", text.slice(0, end));
    this.#write("tls.crt", text.slice(end));
    this.#write("token", token);
  }

  /** Starts it with the anchors and the pins of now, and never gives it others. */
  async start(): Promise<void> {
    const { dir } = this.#run;
    const secret = (name: string): string => readFileSync(join(dir, "secrets", "gw-01", name), "utf8");
    for (const name of ["ca.crt", "broker.pins"]) this.#write(name, secret(name));
    const like = JSON.parse(readFileSync(join(dir, "config", "gw-01", "config.json"), "utf8"));
    const { metrics: _metrics, ...common } = like;
    const tls = { caFile: this.#at("ca.crt"), certFile: this.#at("tls.crt"), keyFile: this.#at("tls.key") };
    this.#write(
      "config.json",
      JSON.stringify({
        ...common,
        name: this.name,
        coap: { hosts: ["127.0.0.1"], port: 0 },
        tls,
        tokenFile: this.#at("token"),
        broker: { ...like.broker, pinsFile: this.#at("broker.pins") },
        backend: { ...like.backend, pollSeconds: 1 },
        stateDir: this.#at("state"),
        controlSocket: this.#at("sock"),
      }),
    );
    const args = [join(PROJECT, "services/gateway/main.ts"), "--config", this.#at("config.json")];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    await this.until(({ brokerConnected }) => brokerConnected);
  }

  async status(): Promise<RemoteStatus> {
    return (await callControl(this.#at("sock"), "GET", "/status")) as RemoteStatus;
  }

  /** Waits until its status is as wanted. @throws Error with the last one after 60 s */
  async until(wanted: (status: RemoteStatus) => boolean): Promise<void> {
    let last: unknown;
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(200)) {
      last = await this.status().catch((thrown: unknown) => thrown);
      if (!(last instanceof Error) && wanted(last as RemoteStatus)) return;
    }
    throw new Error(`${this.name} is not as wanted: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
  }

  async stop(): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }

  #at(file: string): string {
    return join(this.#run.dir, `elsewhere-${this.name}`, file);
  }

  #write(file: string, content: string): void {
    writeFileSync(this.#at(file), content, { mode: 0o600 });
  }

  async #trustkern(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#run.cli(args);
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }
}
