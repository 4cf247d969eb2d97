import { spawn } from "node:child_process";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDockerCli, type DockerCli } from "../../../stacks/host/docker-cli.ts";
import { scratch } from "../deployment.ts";
import { type Engine, endEngine, mountCgroups } from "../engine.ts";
import { type Ended, type RunOptions, runProgram } from "../run.ts";

/** Counts what would leave: everything but the loopback address and the bridges of containers, and what has no way to go. */
const WATCH = `
table inet watch {
  counter left { }
  counter astray { }
  chain before {
    type filter hook prerouting priority -300; policy accept;
    iifname != "lo" fib daddr type != { local, broadcast, multicast, anycast } fib daddr oif missing counter name astray
  }
  chain output {
    type filter hook output priority 300; policy accept;
    oifname != { "lo", "docker0" } oifname != "veth*" oifname != "tkf-*" oifname != "tkp-*" counter name left
  }
  chain forward {
    type filter hook forward priority 300; policy accept;
    oifname != "docker0" oifname != "veth*" oifname != "tkf-*" oifname != "tkp-*" counter name left
  }
}
`;

/** Packets that tried to leave. */
export interface Leaving {
  /** Of this host and its containers, on their way out of an interface. */
  readonly left: number;
  /** Of containers, to where this host has no route. */
  readonly astray: number;
  /** Of this host itself, to where it has no route: the kernel's own count. */
  readonly noRoute: number;
}

/** A machine that no cable leaves: a network namespace with loopback alone, and a Docker Engine in it that has nothing. */
export class ClosedHost {
  readonly #namespace = `tk-closed-${process.pid}`;
  readonly #own = scratch("closed");
  readonly #socket = join(this.#own.dir, "docker.sock");
  /** Its Docker Engine, as whoever is root on this machine reaches it by its socket. */
  readonly docker: DockerCli = createDockerCli({ ...process.env, DOCKER_HOST: `unix://${this.#socket}` });
  #engine: Engine | undefined;

  async start(): Promise<void> {
    await must("ip", ["netns", "add", this.#namespace]);
    await must("ip", ["-n", this.#namespace, "link", "set", "lo", "up"]);
    const rules = join(this.#own.dir, "watch.nft");
    writeFileSync(rules, WATCH);
    await this.#within("nft", ["-f", rules]);
    await mountCgroups();
    const log = join(this.#own.dir, "dockerd.log");
    const out = openSync(log, "w");
    const at = (name: string): string => join(this.#own.dir, name);
    // `ip netns exec` would mount a /sys of its own, without control groups.
    const entered = [`--net=/run/netns/${this.#namespace}`, "dockerd", "-H", `unix://${this.#socket}`];
    const own = ["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid")];
    this.#engine = {
      process: spawn("nsenter", [...entered, ...own], { stdio: ["ignore", out, out] }),
      folder: this.#own.dir,
    };
    for (let left = 120; ; left -= 1) {
      const { code } = await this.docker(["version"]).catch(() => ({ code: 1 }));
      if (code === 0) return;
      const gone = this.#engine.process.exitCode !== null;
      if (left === 0 || gone) throw new Error(`dockerd does not answer: ${readFileSync(log, "utf8").slice(-800)}`);
      await sleep(500);
    }
  }

  /** The words that start a program there, with an environment that has a `PATH` and these variables alone. */
  words(env: Readonly<Record<string, string>> = {}): readonly string[] {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return ["nsenter", `--net=/run/netns/${this.#namespace}`, "env", "-i", "PATH=/usr/bin:/bin", ...variables];
  }

  /** Variables of a shell there, for whoever uses its Docker Engine. */
  get usual(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: `unix://${this.#socket}` };
  }

  /** Runs a program there. */
  run(words: readonly string[], env: Readonly<Record<string, string>> = {}, options: RunOptions = {}): Promise<Ended> {
    const [program = "", ...args] = [...this.words(env), ...words];
    return runProgram(program, args, options);
  }

  /** Loads rules for its firewall, as its administrator. */
  async loadRules(file: string): Promise<void> {
    await this.#within("nft", ["-f", file]);
  }

  async leaving(): Promise<Leaving> {
    const { nftables } = JSON.parse(
      await this.#within("nft", ["--json", "list", "counters", "table", "inet", "watch"]),
    );
    const packets = new Map<string, number>(
      nftables.flatMap((one: Listed) => (one.counter ? [[one.counter.name, one.counter.packets] as const] : [])),
    );
    const [names = [], values = []] = (await this.#within("cat", ["/proc/net/snmp"]))
      .split("\n")
      .filter((line) => line.startsWith("Ip: "))
      .map((line) => line.split(" "));
    return {
      left: packets.get("left") ?? Number.NaN,
      astray: packets.get("astray") ?? Number.NaN,
      noRoute: Number(values[names.indexOf("OutNoRoutes")]),
    };
  }

  /** Names of its interfaces, but for the bridges of containers and their ends. */
  async interfaces(): Promise<readonly string[]> {
    const listed = JSON.parse(await this.#within("ip", ["-json", "link"])) as readonly { readonly ifname: string }[];
    return listed.map(({ ifname }) => ifname).filter((name) => !/^(veth|tk[fp]-|docker0$)/.test(name));
  }

  /** Sends a datagram to where nothing is: from the host by no interface, from a container by its default route, and by a way out. */
  async sendOut(container: string): Promise<void> {
    const send = "echo x > /dev/udp/203.0.113.9/9";
    const { stdout } = await this.docker(["inspect", "-f", "{{.State.Pid}}", container]);
    await runProgram("nsenter", ["-t", stdout.trim(), "-n", "bash", "-c", send]);
    await this.run(["bash", "-c", send]);
    for (const words of [
      "link add out0 type veth peer name out1",
      "link set out0 up",
      "link set out1 up",
      "route add default dev out0",
    ])
      await must("ip", ["-n", this.#namespace, ...words.split(" ")]);
    await this.run(["bash", "-c", send]);
  }

  async remove(): Promise<void> {
    const { stdout } = await this.docker(["ps", "--all", "--quiet"]).catch(() => ({ stdout: "" }));
    const containers = stdout.split("\n").filter((id) => id !== "");
    if (containers.length > 0) await this.docker(["rm", "--force", ...containers], { timeoutMs: 120_000 });
    if (this.#engine !== undefined) await endEngine(this.#engine);
    await runProgram("ip", ["netns", "delete", this.#namespace]);
    this.#own.remove();
  }

  #within(program: string, args: readonly string[]): Promise<string> {
    return must("nsenter", [`--net=/run/netns/${this.#namespace}`, program, ...args]);
  }
}

interface Listed {
  readonly counter?: { readonly name: string; readonly packets: number };
}

async function must(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}
