import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../../stacks/host/lock.ts";
import type { BundleContents } from "../format/write.ts";
import { writeFault } from "../format/writing/write-faults.ts";
import { type WriteRequest, type WrittenBundle, writeContents } from "./write-contents.ts";

/** What {@link writeBundle} is handed. */
export interface WriteBundle<T> extends WriteRequest<T> {
  readonly contents: BundleContents;
  /** Folder of this machine's disk that takes the segments meanwhile, about the size of the bundle. */
  readonly scratch: string;
}

/**
 * Writes a bundle of contents. Whatever goes wrong, nothing is left at its place.
 * @throws what `writeContents` throws, BUNDLE_DISK_FULL, BUNDLE_NOT_WRITABLE
 */
export async function writeBundle<T>(request: WriteBundle<T>): Promise<WrittenBundle<T>> {
  const scratchDir = makeScratch(request.scratch);
  try {
    return await writeContents(request.contents, request, scratchDir);
  } finally {
    rmSync(scratchDir, { recursive: true, force: true });
  }
}

/**
 * A folder beside those of others that run; of one that was killed, its segments are removed.
 * @throws BUNDLE_DISK_FULL, BUNDLE_NOT_WRITABLE
 */
export function makeScratch(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      const [, pid] = /^segments-(\d+)-/.exec(name) ?? [];
      if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(folder, `segments-${process.pid}-`));
  } catch (thrown) {
    throw writeFault(thrown, folder);
  }
}
