import { closeSync, fsyncSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { escrowErrors } from "./errors.ts";

/** A file that a ceremony makes. */
export interface EscrowFolderFile {
  /** Name in the folder. */
  readonly name: string;
  readonly content: string;
}

/**
 * Refuses a folder that has something in it, before any key is made for it.
 * @throws CUSTODY_ESCROW_FOLDER
 */
export function assertFree(folder: string): void {
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw unusable(folder, messageOf(cause), cause);
  }
  if (names.length > 0) throw unusable(folder, `it has "${names[0]}" in it`);
}

/**
 * Puts a folder (0700) of files (0600) in place, all of them at once: whatever dies meanwhile, the folder is whole or is not
 * there, and beside it may lie `<folder>.partial-…`, which nothing reads.
 * @throws CUSTODY_ESCROW_FOLDER
 */
export function putFolder(folder: string, files: readonly EscrowFolderFile[]): void {
  assertFree(folder);
  let partial: string | undefined;
  try {
    partial = mkdtempSync(`${folder}.partial-`);
    for (const { name, content } of files) writeFileAtomic(join(partial, name), content);
    renameSync(partial, folder);
    syncFolder(dirname(folder));
  } catch (cause) {
    if (partial !== undefined) rmSync(partial, { recursive: true, force: true });
    throw unusable(folder, messageOf(cause), cause);
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

function unusable(folder: string, why: string, cause?: unknown): Error {
  return escrowErrors.error("CUSTODY_ESCROW_FOLDER", `"${folder}" cannot take the files: ${why}`, {
    path: folder,
    cause,
  });
}
