import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Addresses } from "./addresses.ts";
import { clusterErrors } from "./errors.ts";

/** Says that a folder is a cluster's; it is written before anything else. */
export const MARK = "trustkern-cluster";
/** Is there once the cluster has answered, and says where it is. */
const READY = "ready.json";

/** Folders of a state folder. What has keys in it is `pki`, and the state folder itself is for its owner alone. */
const FOLDERS = ["bin", "cni", "config", "containerd", "ended", "kubelet", "log", "pki", "sysctl", "volumes"] as const;

/**
 * Makes a state folder, or takes one that is a cluster's already.
 * @throws CLUSTER_STATE_FOREIGN
 */
export function claimState(state: string): void {
  assertOurs(state);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(join(state, MARK), "");
  for (const folder of FOLDERS) mkdirSync(join(state, folder), { recursive: true, mode: 0o700 });
}

/**
 * Refuses a folder that has something in it and is no cluster's.
 * @throws CLUSTER_STATE_FOREIGN
 */
export function assertOurs(state: string): void {
  const found = entriesOf(state);
  if (found.length === 0 || found.includes(MARK)) return;
  throw clusterErrors.error("CLUSTER_STATE_FOREIGN", `${state} has ${found.slice(0, 3).join(", ")} and no ${MARK}`, {
    path: state,
  });
}

function entriesOf(state: string): readonly string[] {
  try {
    return readdirSync(state);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    if (code !== "ENOTDIR") throw thrown;
    throw clusterErrors.error("CLUSTER_STATE_FOREIGN", `${state} is no folder`, { path: state });
  }
}

/** Notes that a cluster answers. */
export function writeReady(state: string, addresses: Addresses): void {
  writeFileSync(join(state, READY), `${JSON.stringify(addresses)}\n`);
}

/** Addresses of the cluster that has answered, or undefined where none has. */
export function readReady(state: string): Addresses | undefined {
  const file = join(state, READY);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Addresses) : undefined;
}

/** The administrator's kubeconfig of a state folder. */
export function kubeconfigOf(state: string): string {
  return join(state, "kubeconfig");
}
