import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { cgroupOf, hierarchies } from "../../support/cluster/cgroups.ts";
import { firstProcess, nodeProcesses } from "../../support/cluster/processes.ts";
import { runProgram } from "../../support/run.ts";

/** Settings of the kernel that a kubelet wants to change for the whole machine. */
const SETTINGS = ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys"];

/** What of a cluster can be seen on this machine, outside of its namespaces. */
export async function tracesOf(state: string) {
  const mounts = readFileSync("/proc/mounts", "utf8");
  const links = (await runProgram("ip", ["-brief", "link"])).stdout;
  const routes = (await runProgram("ip", ["route"])).stdout;
  const rules = (await runProgram("iptables-save", [])).stdout;
  const lines = (text: string, pattern: RegExp): readonly string[] =>
    text.split("\n").filter((line) => pattern.test(line));
  return {
    processes: nodeProcesses(state),
    mounts: mounts.split("\n").filter((line) => line.includes(state)),
    links: lines(links, /^tkc\d/),
    routes: lines(routes, /\bdev tkc\d/),
    rules: lines(rules, /KUBE-|CNI-/),
    cgroups: hierarchies(mounts).filter((place) => existsSync(`${place}/${cgroupOf(state)}`)),
    folder: existsSync(state),
  };
}

/** What {@link tracesOf} finds where there is nothing. */
export const NO_TRACES = { processes: [], mounts: [], links: [], routes: [], rules: [], cgroups: [], folder: false };

/** Values of the kernel's settings. */
export function kernelSettings(): readonly string[] {
  return SETTINGS.map((setting) => readFileSync(`/proc/sys/${setting}`, "utf8").trim());
}

/** All processes in the namespace of the cluster's node, shims and pods among them, as this machine counts. */
export function processesInside(state: string): readonly number[] {
  const first = firstProcess(state);
  if (first === undefined) return [];
  const level = nspidsOf(first).length;
  const namespace = namespaceOf(first);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => namespaceOf(pid) === namespace || nspidsOf(pid).length > level);
}

/** Whether a process is there and no zombie. */
export function lives(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(statusOf(pid));
}

function nspidsOf(pid: number): readonly string[] {
  return (/^NSpid:\s+(.*)$/m.exec(statusOf(pid))?.[1] ?? "").split("\t");
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return "";
  }
}
