import { existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { takeDown } from "./down.ts";
import { nodeProcesses } from "./processes.ts";
import { MARK } from "./state.ts";

/** Clusters of test runs that were cut off, which nobody ends any more, and their folders. Wants root, as those who start them are. */
export async function removeLeftClusters(): Promise<void> {
  for (const marker of globSync(join(tmpdir(), "tk-*", "*", MARK))) {
    const state = dirname(marker);
    const holders = nodeProcesses(state);
    if (holders.some(hasParent)) continue;
    await takeDown(state);
    rmSync(dirname(state), { recursive: true, force: true });
  }
}

/** Whether a process, or what has started it, is somebody's: an orphan's parent is 1. */
function hasParent(pid: number): boolean {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return false;
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(file, "utf8"))?.[1]);
  return parent !== 1 && !isUnshare(parent);
}

/** The first process of a cluster has a parent of its own. */
function isUnshare(pid: number): boolean {
  const file = `/proc/${pid}/comm`;
  return existsSync(file) && readFileSync(file, "utf8").trim() === "unshare";
}
