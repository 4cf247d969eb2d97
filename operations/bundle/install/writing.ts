import { closeSync, fsyncSync, openSync } from "node:fs";
import { whyUnwritable } from "../../../stacks/host/files.ts";
import { siteErrors } from "./errors.ts";

const UNWRITABLE = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOTDIR", "EIO", "EFBIG", "ENOENT"]);

/** The clear error of a write below a site that failed, or what was thrown where it is none. */
export function asUnwritable(path: string, thrown: unknown): unknown {
  if (!UNWRITABLE.has((thrown as NodeJS.ErrnoException | undefined)?.code ?? "")) return thrown;
  return siteErrors.error("BUNDLE_SITE_UNWRITABLE", `cannot write "${path}": ${whyUnwritable(path, thrown)}`, {
    path,
    cause: thrown,
  });
}

/**
 * Runs what writes below a site.
 * @throws BUNDLE_SITE_UNWRITABLE
 */
export function writingSite<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw asUnwritable(path, thrown);
  }
}

/** Brings what happened to the names in a folder to the disk. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
