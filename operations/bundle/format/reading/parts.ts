import { constants } from "node:fs";
import { access, type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../../../shared/errors.ts";
import { bundleFormatErrors } from "../errors.ts";

/** The files that a bundle is in, read as if they were one. */
export interface Parts {
  /** Whether they are parts that `--split` wrote, also when it is one only. */
  readonly split: boolean;
  readonly files: readonly string[];
  /** Of each. */
  readonly sizes: readonly number[];
  /** Of all together. */
  readonly bytes: number;
  /** Fills the buffer from there on. @throws BUNDLE_TRUNCATED, BUNDLE_NOT_FOUND */
  readonly read: (offset: number, into: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The number of a part, at the end of its name. */
const PART = /\.(\d{3})$/;

/** `site.tkb.001` of the first. */
export function partName(base: string, index: number): string {
  return `${base}.${String(index + 1).padStart(3, "0")}`;
}

/**
 * Opens a bundle, or all of its parts.
 * @throws BUNDLE_NOT_FOUND, BUNDLE_PART_MISSING, BUNDLE_TRUNCATED
 */
export async function openParts(path: string): Promise<Parts> {
  const base = await splitBase(path);
  const files = base === undefined ? [path] : await partsOf(base, path);
  const handles: FileHandle[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(handles.splice(0).map((handle) => handle.close()));
  };
  try {
    const sizes: number[] = [];
    for (const file of files) {
      const { handle, size } = await openFile(file);
      handles.push(handle);
      sizes.push(size);
    }
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    return { split: base !== undefined, files, sizes, bytes, read: reader(handles, files, sizes), close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** What the parts are named after, where the path means parts. */
async function splitBase(path: string): Promise<string | undefined> {
  const number = PART.exec(path)?.[1];
  if (number === undefined) {
    const alone = (await exists(path)) || !(await exists(partName(path, 0)));
    return alone ? undefined : path;
  }
  const base = path.slice(0, -4);
  if (number === "001") return base;
  throw bundleFormatErrors.error("BUNDLE_PART_MISSING", `"${path}" is part ${Number(number)} of a bundle`, {
    path,
    fix: `name the first part: ${partName(base, 0)}`,
  });
}

/** All parts that are there, which have to be numbered without a gap. */
async function partsOf(base: string, path: string): Promise<readonly string[]> {
  const prefix = `${basename(base)}.`;
  const names = await readdir(dirname(base)).catch((thrown: unknown) => {
    throw notFound(path, thrown);
  });
  const found = names.filter((name) => name.length === prefix.length + 3 && name.startsWith(prefix) && PART.test(name));
  const files = found.sort().map((name) => join(dirname(base), name));
  const gap = found.findIndex((name, index) => name !== basename(partName(base, index)));
  if (found.length > 0 && gap < 0) return files;
  const missing = partName(base, Math.max(gap, 0));
  throw bundleFormatErrors.error("BUNDLE_PART_MISSING", `there is no "${missing}"`, { path: missing });
}

async function openFile(file: string): Promise<{ readonly handle: FileHandle; readonly size: number }> {
  // A pipe would be waited for without `O_NONBLOCK`.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((thrown: unknown) => {
    throw notFound(file, thrown);
  });
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, size: stats.size };
  await handle.close();
  throw bundleFormatErrors.error("BUNDLE_NOT_FOUND", `"${file}" is no regular file`, { path: file });
}

function reader(handles: readonly FileHandle[], files: readonly string[], sizes: readonly number[]): Parts["read"] {
  return async (offset, into) => {
    let start = 0;
    let done = 0;
    for (const [index, size] of sizes.entries()) {
      const handle = handles[index];
      const from = offset + done - start;
      start += size;
      if (handle === undefined || from >= size) continue;
      const wanted = Math.min(into.length - done, size - from);
      await fill(handle, into.subarray(done, done + wanted), from, files[index] ?? "");
      done += wanted;
      if (done === into.length) return;
    }
    if (done < into.length) throw truncated(files.at(-1) ?? "");
  };
}

async function fill(handle: FileHandle, into: Uint8Array, position: number, file: string): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle
      .read(into, done, into.length - done, position + done)
      .catch((thrown: unknown) => {
        throw bundleFormatErrors.error("BUNDLE_NOT_FOUND", `"${file}" cannot be read: ${messageOf(thrown)}`, {
          path: file,
          cause: thrown,
        });
      });
    if (bytesRead === 0) throw truncated(file);
    done += bytesRead;
  }
}

function truncated(file: string): Error {
  return bundleFormatErrors.error("BUNDLE_TRUNCATED", `"${file}" ends before the bundle does`, { path: file });
}

function notFound(path: string, cause: unknown): Error {
  return bundleFormatErrors.error("BUNDLE_NOT_FOUND", `"${path}" cannot be read: ${messageOf(cause)}`, { path, cause });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
