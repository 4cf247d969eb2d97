import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { runProgram } from "./run.ts";

/** A Docker Engine that a test started, with a folder that has all that is its own. */
export interface Engine {
  readonly process: ChildProcess;
  readonly folder: string;
}

/** Where no init has mounted control groups, Debian's package has a program that does. */
export async function mountCgroups(): Promise<void> {
  if (!/ cgroup2? /.test(readFileSync("/proc/mounts", "utf8"))) await runProgram("cgroupfs-mount", []);
}

/** Ends it, and removes its folder with what it has mounted there. */
export async function endEngine({ process, folder }: Engine): Promise<void> {
  if (process.exitCode === null && process.signalCode === null) {
    const ended = once(process, "exit");
    process.kill("SIGTERM");
    await ended;
  }
  await removeEngineFolder(folder);
}

/** Removes the folder of an engine that has ended: its network namespaces, which it leaves mounted there, go with it. */
export async function removeEngineFolder(folder: string): Promise<void> {
  for (const mount of mountsIn(folder).toReversed()) await runProgram("umount", [mount]);
  rmSync(folder, { recursive: true, force: true });
}

function mountsIn(folder: string): readonly string[] {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return mounts.flatMap((line) => line.split(" ")[1] ?? []).filter((mount) => mount.startsWith(`${folder}/`));
}
