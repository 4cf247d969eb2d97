import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { goesOn, startTimeOf } from "../../../stacks/host/lock.ts";
import { clusterErrors } from "./errors.ts";

const POLL_MS = 50;

/** Words that make namespaces and start their first process, which has the state folder as its argument. */
export function nodeWords(pause: string, state: string): readonly [program: string, ...args: string[]] {
  return ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", pause, state];
}

/**
 * The processes that hold the namespaces of the cluster with this state folder: {@link nodeWords} and the first process in them. They are
 * known by all their words, so no number is remembered that another process may have by now.
 * @param proc - folder of the process file system
 */
export function nodeProcesses(state: string, proc = "/proc"): readonly number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isOfNode(wordsOf(pid, proc), state))
    .map(Number);
}

/** The first process in the namespaces, as this machine counts, once it is there. */
export function firstProcess(state: string, proc = "/proc"): number | undefined {
  return nodeProcesses(state, proc).find((pid) => wordsOf(String(pid), proc).length === 2);
}

function isOfNode(words: readonly string[], state: string): boolean {
  const pause = words.at(-2) ?? "";
  if (basename(pause) !== "pause") return false;
  const wanted = words.length === 2 ? [pause, state] : nodeWords(pause, state);
  return words.every((word, index) => word === wanted[index]);
}

function wordsOf(pid: string, proc: string): readonly string[] {
  try {
    return readFileSync(join(proc, pid, "cmdline"), "utf8")
      .split("\0")
      .slice(0, -1);
  } catch {
    // It ended meanwhile.
    return [];
  }
}

/**
 * Ends everything that runs in the namespaces: with their first process the kernel ends the rest, and only then is that one gone itself.
 * @throws CLUSTER_LEFTOVER
 */
export async function endNode(state: string, patienceMs = 30_000): Promise<void> {
  const end = Date.now() + patienceMs;
  const killed = new Map<number, string>();
  for (;;) {
    // Found anew each time: a process has its words no more once it is about to end.
    const found = nodeProcesses(state);
    const left = [...killed].filter(([pid, since]) => isThere(pid, since)).map(([pid]) => pid);
    if (found.length + left.length === 0) return;
    if (Date.now() > end)
      throw clusterErrors.error("CLUSTER_LEFTOVER", `these processes do not end: ${[...found, ...left].join(", ")}`);
    // What made the namespaces takes the exit code of their first process, and ends then.
    const first = firstProcess(state);
    for (const pid of first === undefined ? found : [first]) {
      killed.set(pid, startTimeOf(pid));
      kill(pid);
    }
    await sleep(POLL_MS);
  }
}

/** A zombie is gone: nothing is left in its namespaces. */
function isThere(pid: number, since: string): boolean {
  if (!goesOn(String(pid), since)) return false;
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown;
  }
}
