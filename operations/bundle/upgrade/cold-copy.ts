import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";

/** What a copy came to. */
export interface Copied {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Copies a folder with owners, rights and times, down to the disk; where the file system can, blocks are shared until one side
 * changes (`FICLONE`). Sockets and pipes of programs that have stopped are left out.
 * @throws what the file system throws
 */
export async function copyCold(from: string, to: string, signal: AbortSignal): Promise<Copied> {
  signal.throwIfAborted();
  await breathe();
  const stats = lstatSync(from);
  mkdirSync(to, { mode: 0o700 });
  let [files, bytes] = [0, 0];
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    const one = lstatSync(source);
    if (one.isDirectory()) {
      const below = await copyCold(source, target, signal);
      [files, bytes] = [files + below.files, bytes + below.bytes];
    } else if (one.isSymbolicLink()) {
      symlinkSync(readlinkSync(source), target);
      if (process.getuid?.() === 0) lchownSync(target, one.uid, one.gid);
    } else if (one.isFile()) {
      signal.throwIfAborted();
      copyFileSync(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      likeness(target, one);
      [files, bytes] = [files + 1, bytes + one.size];
    }
  }
  likeness(to, stats);
  return { files, bytes };
}

/** Bytes that a copy of a folder takes at most, and how many files. */
export function sizeOf(folder: string): Copied {
  let [files, bytes] = [0, 0];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = sizeOf(path);
      [files, bytes] = [files + below.files, bytes + below.bytes];
    } else if (entry.isFile()) {
      const { size, blocks } = lstatSync(path);
      [files, bytes] = [files + 1, bytes + Math.max(size, blocks * 512)];
    }
  }
  return { files, bytes };
}

function likeness(path: string, { uid, gid, mode, atimeMs, mtimeMs }: Stats): void {
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
