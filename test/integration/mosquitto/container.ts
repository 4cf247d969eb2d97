import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serverName } from "../../../model/placement.ts";
import { PROBE } from "../../../modules/common.ts";
import { broker } from "../../../modules/mosquitto/component.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { callControl } from "../../../shared/control-client.ts";
import { dockerPlacement, INSIDE, SOCKET_FILE } from "../../../stacks/docker/placement.ts";
import { docker } from "../../support/docker.ts";
import { BrokerHarness, until } from "../broker/harness.ts";
import { freePort, type GuardStatus, SECRETS } from "./harness.ts";

/** User of a container. */
const USER = 10_001;

/** The image `broker`, with what is rendered for it and as little as a deployment gives it, on this machine's network. */
export class BrokerContainer extends BrokerHarness {
  readonly name = `tk-broker-image-${process.pid}`;
  #socket = "";

  override async start(): Promise<void> {
    await this.issueAll();
    const [mqtts, metrics] = [await freePort(), await freePort()];
    this.port = mqtts;
    const deployment = { ...defaultDeployment(), engine: "docker", tenant: "acme", gateways: ["gw-01"] } as const;
    const ports: Readonly<Record<string, number>> = { mqtts, metrics, https: this.feedPort };
    const component = broker(deployment, {
      ...dockerPlacement(deployment),
      endpoint: (of, port) => ({ host: "127.0.0.1", port: ports[port] ?? 0, servername: serverName(of, "acme") }),
      listenAddresses: () => ["127.0.0.1"],
    });
    for (const folder of ["config", "secrets", "control", "volume"]) mkdirSync(this.#at(folder));
    for (const { path, content } of component.files)
      writeFileSync(path.replace(INSIDE.config, this.#at("config")), content);
    for (const { name } of component.secrets)
      copyFileSync(this.#at(SECRETS[name] ?? name), this.#at(`secrets/${name}`));
    this.#own();
    const [socket = ""] = component.sockets.map(({ path }) => path);
    this.#socket = socket;
    await this.#run(component.command ?? [], socket, component.scratch ?? []);
    await until(async () => (await this.guard()).ready, 60_000);
  }

  override async stop(): Promise<void> {
    await docker(["rm", "--force", this.name]);
    await super.stop();
  }

  async guard(): Promise<GuardStatus> {
    return (await callControl(this.#at(`control/${SOCKET_FILE}`), "GET", "/status")) as GuardStatus;
  }

  /** Exit code of the image's own health probe. */
  async health(): Promise<number | null> {
    return (await docker(["exec", this.name, "/usr/bin/node", PROBE, this.#socket])).code;
  }

  async #run(
    command: readonly string[],
    socket: string,
    scratch: readonly { readonly path: string; readonly maxMiB: number }[],
  ): Promise<void> {
    const mount = (from: string, to: string, mode: "ro" | "rw") => ["--volume", `${this.#at(from)}:${to}:${mode}`];
    const memory = ({ path, maxMiB }: (typeof scratch)[number]) => [
      ...["--tmpfs", `${path}:rw,noexec,nosuid,nodev,size=${maxMiB}m,mode=0700,uid=${USER},gid=${USER}`],
    ];
    const { code, stderr } = await docker([
      ...["run", "--detach", "--name", this.name, "--network", "host", "--read-only", "--user", `${USER}:${USER}`],
      ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
      ...mount("config", INSIDE.config, "ro"),
      ...mount("secrets", INSIDE.secrets, "ro"),
      ...mount("volume", `${INSIDE.volumes}/state`, "rw"),
      ...mount("control", socket.slice(0, -SOCKET_FILE.length - 1), "rw"),
      ...scratch.flatMap(memory),
      ...["trustkern/broker:0.1.0", ...command],
    ]);
    if (code !== 0) throw new Error(stderr);
  }

  #own(): void {
    for (const folder of ["config", "secrets", "control", "volume"])
      for (const file of [".", ...readdirSync(this.#at(folder))]) {
        chownSync(join(this.#at(folder), file), USER, USER);
        chmodSync(join(this.#at(folder), file), file === "." ? 0o700 : 0o600);
      }
  }

  #at(file: string): string {
    return join(this.folder, file);
  }
}
