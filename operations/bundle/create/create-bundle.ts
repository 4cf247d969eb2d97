import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BundleContents } from "../format/write.ts";
import { removeLeftBehind } from "../format/writing/left-behind.ts";
import { writeFault } from "../format/writing/write-faults.ts";
import { type WriteRequest, type WrittenBundle, writeContents } from "./write-contents.ts";

/** Of names in the scratch folder; the number of the process follows. */
const PREFIX = "segments-";

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
  const scratchDir = await makeScratch(request.scratch);
  try {
    return await writeContents(request.contents, request, scratchDir);
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}

/**
 * A folder beside those of others that run; of one that was killed, its segments are removed.
 * @throws BUNDLE_DISK_FULL, BUNDLE_NOT_WRITABLE
 */
export async function makeScratch(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftBehind(folder, PREFIX);
    return await mkdtemp(join(folder, `${PREFIX}${process.pid}-`));
  } catch (thrown) {
    throw writeFault(thrown, folder);
  }
}
