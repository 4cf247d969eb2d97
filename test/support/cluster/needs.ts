import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { clusterErrors } from "./errors.ts";

/** Where Debian puts the plugins of the container network interface. */
export const CNI_PLUGINS = "/usr/lib/cni";

/** Programs of this machine, each with the Debian package that has it. */
const PACKAGE_OF = {
  containerd: "containerd",
  ctr: "containerd",
  etcd: "etcd-server",
  ip: "iproute2",
  iptables: "iptables",
  mount: "mount",
  nsenter: "util-linux",
  runc: "runc",
  setsid: "util-linux",
  unshare: "util-linux",
  [`${CNI_PLUGINS}/host-local`]: "containernetworking-plugins",
  [`${CNI_PLUGINS}/portmap`]: "containernetworking-plugins",
  [`${CNI_PLUGINS}/ptp`]: "containernetworking-plugins",
} as const satisfies Readonly<Record<string, string>>;

/** `PATH` of everything that runs in the cluster, whoever started it. */
export const CLUSTER_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Refuses a machine where no cluster can be made.
 * @param runs - whether a file is a program that may be run
 * @throws CLUSTER_NOT_ROOT, CLUSTER_PROGRAM_MISSING naming everything that is missing
 */
export function assertAble(uid: number | undefined, runs: (file: string) => boolean = isProgram): void {
  assertRoot(uid);
  const missing = Object.entries(PACKAGE_OF).filter(([program]) => !placesOf(program).some(runs));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))].sort();
  throw clusterErrors.error(
    "CLUSTER_PROGRAM_MISSING",
    `missing: ${missing.map(([program, name]) => `${program} (${name})`).join(", ")}`,
    { fix: `apt-get install --no-install-recommends ${packages.join(" ")}` },
  );
}

/** @throws CLUSTER_NOT_ROOT */
export function assertRoot(uid: number | undefined): void {
  if (uid === 0) return;
  throw clusterErrors.error("CLUSTER_NOT_ROOT", `this is run by user ${uid ?? "unknown"}; accepted: root (0)`);
}

function placesOf(program: string): readonly string[] {
  return program.startsWith("/") ? [program] : CLUSTER_PATH.split(delimiter).map((folder) => join(folder, program));
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
