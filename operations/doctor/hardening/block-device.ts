import { dirname, join } from "node:path";
import type { Machine } from "../machine.ts";

/** Whether what is written to a device reaches the disk encrypted, as far as the kernel shows it. */
export type Encryption = "encrypted" | "none seen" | "unknown";

/** Devices without a disk of their own: tmpfs, overlays, btrfs, zfs, network file systems. */
const ANONYMOUS = /^0:/;

/** Encryption below a path. */
export function encryptionOfPath(machine: Machine, path: string): Encryption {
  const device = machine.deviceOf(path);
  if (device === undefined || ANONYMOUS.test(device)) return "unknown";
  const folder = machine.realPath(`/sys/dev/block/${device}`);
  return folder === undefined ? "unknown" : encryptionOfDevice(machine, folder);
}

/**
 * Encryption of a block device by its folder in sysfs. dm-crypt names itself in its uuid (`CRYPT-…`); a volume or an array is
 * encrypted when all that it lies on is, a partition when its disk is, a loop device when its file's disk is.
 */
export function encryptionOfDevice(machine: Machine, folder: string): Encryption {
  if (machine.readText(join(folder, "dm/uuid"))?.startsWith("CRYPT-")) return "encrypted";
  const file = machine.readText(join(folder, "loop/backing_file"))?.trim();
  if (file !== undefined) return encryptionOfPath(machine, file);
  const below = machine.listFolder(join(folder, "slaves")) ?? [];
  if (below.length > 0) {
    return worst(
      below
        .map((name) => machine.realPath(join(folder, "slaves", name)))
        .map((device) => (device === undefined ? "unknown" : encryptionOfDevice(machine, device))),
    );
  }
  const isPartition = machine.readText(join(folder, "partition")) !== undefined;
  return isPartition ? encryptionOfDevice(machine, dirname(folder)) : "none seen";
}

function worst(all: readonly Encryption[]): Encryption {
  const order: readonly Encryption[] = ["none seen", "unknown"];
  return order.find((one) => all.includes(one)) ?? "encrypted";
}
