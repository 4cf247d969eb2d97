import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Ended, type RunOptions, runProgram } from "../run.ts";
import type { Addresses } from "./addresses.ts";
import { clusterErrors } from "./errors.ts";
import { CLUSTER_PATH } from "./needs.ts";
import { firstProcess, nodeWords } from "./processes.ts";

const POLL_MS = 20;
const START_MS = 10_000;
const LOG_LINES = 15;

/** Where the node has the state folder. */
export const INSIDE = "/mnt";

/** Where the node has a program of the cluster. */
export function programInside(name: string): string {
  return `${INSIDE}/bin/${name}`;
}

/**
 * Gives the node what it writes to: the state folder, and memory in the place of folders of this machine. The kernel's settings that a
 * kubelet would change for the whole machine are files with what it wants to find there.
 */
const MOUNTS = `
state=$1; shift
for program; do
  : >"$state/bin/\${program##*/}"
  mount --bind "$program" "$state/bin/\${program##*/}"
done
mount --rbind "$state" ${INSIDE}
for folder in /run /var/lib /tmp; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
mkdir /var/lib/kubelet /var/lib/cni
mount --bind ${INSIDE}/kubelet /var/lib/kubelet
mount --bind ${INSIDE}/log /var/log
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \\
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=${INSIDE}/sysctl/$(echo "\${setting%=*}" | tr / .)
  echo "\${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/\${setting%=*}"
done
echo 1 >/proc/sys/net/ipv4/ip_forward
ip link set lo up
`;

/** Runs on after whoever started it, and leaves its exit code when it ends. */
const DAEMON = `name=$1; shift; exec >>${INSIDE}/log/$name.log 2>&1 </dev/null; "$@"; echo $? >${INSIDE}/ended/$name`;

/** One node of a cluster: namespaces for mounts, network and processes, so that nothing in them outlives their first process. */
export class ClusterNode {
  readonly state: string;
  readonly #pid: number;

  constructor(state: string, pid: number) {
    this.state = state;
    this.#pid = pid;
  }

  /**
   * Makes the namespaces, and their mounts and network.
   * @param programs - of this machine, by their files; the node has them under {@link programInside}
   * @throws CLUSTER_START_FAILED, CLUSTER_NETWORK_FAILED
   */
  static async start(state: string, pause: string, programs: readonly string[], addresses: Addresses) {
    const [program, ...args] = nodeWords(pause, state);
    spawn(program, args, { cwd: "/", detached: true, stdio: "ignore", env: { PATH: CLUSTER_PATH } })
      .on("error", () => undefined)
      .unref();
    const end = Date.now() + START_MS;
    let pid = firstProcess(state);
    for (; pid === undefined; pid = firstProcess(state)) {
      if (Date.now() > end) throw clusterErrors.error("CLUSTER_START_FAILED", "unshare started no process");
      await sleep(POLL_MS);
    }
    const node = new ClusterNode(state, pid);
    await node.must(["sh", "-euc", MOUNTS, "mounts", state, ...programs]);
    await node.#connect(addresses);
    return node;
  }

  async #connect({ link, host, node, pods, services }: Addresses): Promise<void> {
    const ip = async (...words: readonly string[]): Promise<void> => {
      const { code, stderr } = await runProgram("ip", words);
      if (code === 0) return;
      throw clusterErrors.error("CLUSTER_NETWORK_FAILED", `ip ${words.join(" ")}: ${stderr.trim()}`);
    };
    await ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", String(this.#pid));
    await this.must(["sh", "-euc", 'ip address add "$1/30" dev eth0; ip link set eth0 up', "link", node]);
    await ip("address", "add", `${host}/30`, "dev", link);
    await ip("link", "set", link, "up");
    for (const network of [pods, services]) await ip("route", "add", network, "via", node);
  }

  /** Runs a program in the node to its end. Paths are the node's: it has the state folder at {@link INSIDE}. */
  run(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const entered = ["--target", String(this.#pid), "--mount", "--net", "--pid", "env", "-i", `PATH=${CLUSTER_PATH}`];
    return runProgram("nsenter", [...entered, ...words], { cwd: "/", ...options });
  }

  /** {@link run}, for what has to succeed. @throws CLUSTER_START_FAILED */
  async must(words: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(words, options);
    if (code === 0) return stdout;
    const [program = ""] = words;
    throw clusterErrors.error("CLUSTER_START_FAILED", `${basename(program)} ended with ${code}: ${stderr.trim()}`);
  }

  /** Starts a program that runs until the node ends, with a log under its name in the state folder. */
  async startDaemon(name: string, words: readonly string[]): Promise<void> {
    await this.must(["setsid", "--fork", "sh", "-c", DAEMON, "daemon", name, ...words]);
  }

  /**
   * Fails as soon as one of these has ended.
   * @throws CLUSTER_START_FAILED with the last lines of its log
   */
  assertRunning(names: readonly string[]): void {
    for (const name of names) {
      const file = join(this.state, "ended", name);
      if (!existsSync(file)) continue;
      const code = readFileSync(file, "utf8").trim();
      throw clusterErrors.error("CLUSTER_START_FAILED", `${name} ended with ${code}\n${this.lastLines(name)}`);
    }
  }

  /** The last lines of what a program said. */
  lastLines(name: string): string {
    const file = join(this.state, "log", `${name}.log`);
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").slice(-LOG_LINES).join("\n") : "";
  }
}
