import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { sizeText } from "../../../../shared/size-text.ts";
import { bundleFormatErrors } from "../errors.ts";

/** Bytes that may be written below a folder; who tests says others. */
export type FreeBytes = (folder: string) => Promise<number>;

const freeBytesOf: FreeBytes = async (folder) => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

/**
 * Before anything is written: a file system that is too small is found at once.
 * @param path what is to be written
 * @param folder that is there
 * @throws BUNDLE_DISK_FULL
 */
export async function assertRoom(
  path: string,
  folder: string,
  bytes: number,
  freeBytes: FreeBytes = freeBytesOf,
): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= bytes) return;
  const there = `${free} bytes (${sizeText(free)}) are free on the file system that is mounted at "${await mountOf(folder)}"`;
  const message = `"${path}" needs ${bytes} bytes (${sizeText(bytes)}), and ${there}`;
  throw bundleFormatErrors.error("BUNDLE_DISK_FULL", message, { path });
}

/** The highest folder above that is of the same device. */
async function mountOf(folder: string): Promise<string> {
  const above = dirname(folder);
  if (above === folder || (await stat(above)).dev !== (await stat(folder)).dev) return folder;
  return mountOf(above);
}
