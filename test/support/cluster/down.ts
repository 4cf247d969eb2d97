import { readFileSync, rmSync } from "node:fs";
import { cgroupOf, hierarchies, removeCgroups } from "./cgroups.ts";
import { endNode } from "./processes.ts";
import { assertOurs } from "./state.ts";

/**
 * Ends a cluster and removes all that is its own, whole or half up.
 * @throws CLUSTER_STATE_FOREIGN, CLUSTER_LEFTOVER
 */
export async function takeDown(state: string): Promise<void> {
  assertOurs(state);
  await endCluster(state);
  rmSync(state, { recursive: true, force: true });
}

/**
 * Ends a cluster, and leaves its state folder with the logs. Its mounts, its network, its rules and its link to this machine are in
 * namespaces that end with their processes; what remains is the control group.
 * @throws CLUSTER_LEFTOVER
 */
export async function endCluster(state: string): Promise<void> {
  await endNode(state);
  await removeCgroups(hierarchies(readFileSync("/proc/mounts", "utf8")), cgroupOf(state));
}
