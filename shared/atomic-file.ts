import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const { O_WRONLY, O_CREAT, O_EXCL, O_SYNC } = constants;

/**
 * Replaces a file so that whoever reads it, whatever dies meanwhile, finds the old bytes or the new ones: writes
 * `<file>.tmp` beside it with mode 0600, synchronously down to the disk, renames it, and syncs the folder. One writer at
 * a time. On failure (a full disk) the old file stays and the error of the file system is thrown.
 *
 * Node's permission model forbids fsync (hence `O_SYNC`), so a restricted process leaves the folder to the file system: a
 * host that dies within its commit interval may come back with the old file, whole.
 */
export function writeFileAtomic(file: string, bytes: Uint8Array | string): void {
  const temporary = `${file}.tmp`;
  try {
    rmSync(temporary, { force: true });
    writeSynced(temporary, bytes);
    renameSync(temporary, file);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  }
  if (process.permission === undefined) syncFolder(dirname(file));
}

/** Removes a file, if it is there, and syncs the folder as {@link writeFileAtomic} does. */
export function removeFileDurably(file: string): void {
  rmSync(file, { force: true });
  if (process.permission === undefined) syncFolder(dirname(file));
}

function writeSynced(file: string, bytes: Uint8Array | string): void {
  const descriptor = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_SYNC, 0o600);
  try {
    writeFileSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
