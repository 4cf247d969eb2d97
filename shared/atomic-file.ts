import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces a file so that whoever reads it, whatever dies meanwhile, finds the old bytes or the new ones: writes
 * `<file>.tmp` beside it with mode 0600, syncs it, renames it, and syncs the folder. One writer at a time.
 * On failure (a full disk) the old file stays and the error of the file system is thrown.
 */
export function writeFileAtomic(file: string, bytes: Uint8Array | string): void {
  const temporary = `${file}.tmp`;
  rmSync(temporary, { force: true });
  try {
    writeFileSync(temporary, bytes, { mode: 0o600, flag: "wx", flush: true });
    renameSync(temporary, file);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  }
  const folder = openSync(dirname(file), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
