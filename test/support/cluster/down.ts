import { readFileSync, rmSync } from "node:fs";
import { runProgram } from "../run.ts";
import { cgroupOf, hierarchies, removeCgroups } from "./cgroups.ts";
import { endNode, firstProcess } from "./processes.ts";
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
 * Ends a cluster, and leaves its state folder with the logs. Its mounts, its network and its rules are in namespaces that end with their
 * processes; what remains is the control group. Its link to this machine goes first: the kernel keeps a network for as long as a
 * connection in it has something to send, a minute and more.
 * @throws CLUSTER_LEFTOVER
 */
export async function endCluster(state: string): Promise<void> {
  const first = firstProcess(state);
  // Where it was not made yet, or the cluster ends at this moment, there is none to remove.
  if (first !== undefined)
    await runProgram("nsenter", ["--target", String(first), "--net", "ip", "link", "delete", "eth0"]);
  await endNode(state);
  await removeCgroups(hierarchies(readFileSync("/proc/mounts", "utf8")), cgroupOf(state));
}
