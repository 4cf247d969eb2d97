import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Place } from "./place.ts";

/** Bytes from which on a file is read chunk by chunk. */
const LARGE_BYTES = 32 * 1024 * 1024;

/** Codes of what is gone between being listed and being read. */
const GONE = ["ENOENT", "ESRCH", "ENOTDIR"];

/** How {@link filePlaces} looks. */
export interface FilesOptions {
  /**
   * Milliseconds since the Unix epoch: files that nobody has touched since are left out, by the time of their last change, which
   * no program can set.
   * @default all files
   */
  readonly since?: number;
  /**
   * Hears of each file that is left out for that.
   * @default nobody
   */
  readonly onOld?: () => void;
  /**
   * Whether folders in the folder are looked into.
   * @default true
   */
  readonly folders?: boolean;
  /**
   * Hears of what cannot be read, with the reason.
   * @default it is thrown
   */
  readonly onUnread?: (path: string, thrown: unknown) => void;
}

/**
 * The files below a folder, by their paths in it; what is linked to is not followed, and what is gone by then left out. A folder that
 * is not there itself cannot be read.
 */
export async function* filePlaces(folder: string, options: FilesOptions = {}): AsyncIterable<Place> {
  try {
    await stat(folder);
  } catch (thrown) {
    if (options.onUnread === undefined) throw thrown;
    options.onUnread(".", thrown);
    return;
  }
  for (const path of await filesBelow(folder, folder, options)) {
    const content = await reading(folder, path, options, () => contentOf(path, options));
    if (content !== undefined) yield { name: relative(folder, path), content };
  }
}

async function filesBelow(root: string, folder: string, options: FilesOptions): Promise<readonly string[]> {
  const entries = (await reading(root, folder, options, () => readdir(folder, { withFileTypes: true }))) ?? [];
  const paths: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && options.folders !== false) paths.push(...(await filesBelow(root, path, options)));
    else if (entry.isFile()) paths.push(path);
  }
  return paths;
}

async function contentOf(path: string, { since = 0, onOld }: FilesOptions): Promise<Place["content"] | undefined> {
  const { ctimeMs, size } = await stat(path);
  if (ctimeMs < since) {
    onOld?.();
    return undefined;
  }
  return size < LARGE_BYTES ? readFile(path) : createReadStream(path, { highWaterMark: 1024 * 1024 });
}

async function reading<T>(
  folder: string,
  path: string,
  { onUnread }: FilesOptions,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (GONE.includes((thrown as NodeJS.ErrnoException).code ?? "")) return undefined;
    if (onUnread === undefined) throw thrown;
    onUnread(relative(folder, path) || ".", thrown);
    return undefined;
  }
}
