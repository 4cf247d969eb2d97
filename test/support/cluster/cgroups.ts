import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterErrors } from "./errors.ts";

const POLL_MS = 100;
const PATIENCE_MS = 20_000;

/** The control group that has all pods of the cluster with this state folder. */
export function cgroupOf(state: string): string {
  return `trustkern-cluster-${createHash("sha256").update(state).digest("hex").slice(0, 10)}`;
}

/** Where hierarchies of control groups are mounted. @param mounts - `/proc/mounts` */
export function hierarchies(mounts: string): readonly string[] {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, place = ""]) => place);
}

/** Makes the control group in every hierarchy; the kubelet wants it to be there. */
export function makeCgroups(places: readonly string[], name: string): void {
  for (const place of places) mkdirSync(join(place, name), { recursive: true });
}

/**
 * Removes the control group and all below it. Processes that were killed leave theirs a little later.
 * @throws CLUSTER_LEFTOVER
 */
export async function removeCgroups(places: readonly string[], name: string, patienceMs = PATIENCE_MS): Promise<void> {
  const end = Date.now() + patienceMs;
  for (const place of places) {
    const folder = join(place, name);
    while (!isGone(folder)) {
      if (Date.now() > end) throw clusterErrors.error("CLUSTER_LEFTOVER", `the control group ${folder} is in use`);
      await sleep(POLL_MS);
    }
  }
}

/** Removes from the leaves on; the files of a control group are no obstacle, and go with it. */
function isGone(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory() && !isGone(join(folder, entry.name))) return false;
    rmdirSync(folder);
    return true;
  } catch (thrown) {
    const { code = "" } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (["EBUSY", "ENOTEMPTY"].includes(code)) return false;
    throw thrown;
  }
}
