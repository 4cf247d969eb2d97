import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endNode, firstProcess, nodeProcesses, nodeWords } from "./processes.ts";

const PAUSE = "/cache/tools/pause-1.0.0/pause";
const STATE = "/state/of mine";
let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), "tk-proc-"));
});
afterEach(() => rmSync(proc, { recursive: true }));

function running(pid: number, words: readonly string[]): void {
  mkdirSync(join(proc, String(pid)));
  writeFileSync(join(proc, String(pid), "cmdline"), words.map((word) => `${word}\0`).join(""));
}

describe("nodeProcesses", () => {
  it("finds what made the namespaces, and the first process in them", () => {
    running(7, nodeWords(PAUSE, STATE));
    running(8, [PAUSE, STATE]);
    expect(nodeProcesses(STATE, proc)).toEqual([7, 8]);
    expect(firstProcess(STATE, proc)).toBe(8);
  });

  it("finds them when the program is of another version meanwhile", () => {
    running(7, nodeWords("/cache/tools/pause-0.9.0/pause", STATE));
    expect(nodeProcesses(STATE, proc)).toEqual([7]);
  });

  it("knows no first process before there is one", () => {
    running(7, nodeWords(PAUSE, STATE));
    expect(firstProcess(STATE, proc)).toBeUndefined();
  });

  it.each([
    ["of another state folder", [PAUSE, "/state/of yours"]],
    ["of a folder in this one", [PAUSE, `${STATE}/inner`]],
    ["of a pod, which has the program alone", ["/pause"]],
    ["that only names the folder", ["ls", STATE]],
    ["that shows the words in an editor", ["vi", PAUSE, STATE]],
    ["of unshare with fewer words", ["unshare", "--mount", PAUSE, STATE]],
    ["with one word more", [...nodeWords(PAUSE, STATE), "more"]],
    ["of the kernel, without words", []],
  ])("takes no process %s", (_, words) => {
    running(9, words);
    expect(nodeProcesses(STATE, proc)).toEqual([]);
  });

  it("passes over a process that ends while it looks", () => {
    mkdirSync(join(proc, "10"));
    expect(nodeProcesses(STATE, proc)).toEqual([]);
  });
});

describe("endNode", () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  it("ends that process, and no other that looks much like it", async () => {
    const state = join(proc, "state");
    const other = start("pause", `${state}2`);
    child = other;
    const mine = start("pause", state);
    const ended = once(mine, "exit");
    await untilFound(state);
    await endNode(state);
    expect((await ended)[1]).toBe("SIGKILL");
    expect(nodeProcesses(state)).toEqual([]);
    expect([other.exitCode, other.signalCode]).toEqual([null, null]);
  });

  it("is done where nothing runs", async () => {
    await expect(endNode(join(proc, "nothing"))).resolves.toBeUndefined();
  });
});

/** Stays, with these two words alone: a shell that reads its script from a pipe which nobody writes to. */
function start(name: string, argument: string): ChildProcess {
  spawnSync("mkfifo", [argument]);
  return spawn("sh", [argument], { argv0: name, stdio: "ignore" });
}

async function untilFound(state: string): Promise<void> {
  while (nodeProcesses(state).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}
