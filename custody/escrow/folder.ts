import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
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

/** Files that are on the disk, beside the folder that they are for. */
export interface StagedFolder {
  /**
   * Puts the folder in place, all files at once.
   * @throws CUSTODY_ESCROW_FOLDER
   */
  readonly place: () => void;
  /** Removes what was not put in place. */
  readonly discard: () => void;
}

/**
 * Refuses a folder that has something in it, or that nothing can be put in place of, before any key is made for it.
 * @throws CUSTODY_ESCROW_FOLDER
 */
export function assertFree(folder: string): void {
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw unusable(folder, messageOf(cause), cause);
  }
  try {
    accessSync(dirname(folder), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusable(folder, messageOf(cause), cause);
  }
  if (names.length > 0) throw unusable(folder, `it has "${names[0]}" in it`);
}

/**
 * Writes a folder (0700) of files (0600) beside its place: whatever dies meanwhile, the folder is whole or is not there, and
 * beside it may lie `<folder>.partial-…`, which nothing reads.
 * @throws CUSTODY_ESCROW_FOLDER; nothing is left then
 */
export function stageFolder(folder: string, files: readonly EscrowFolderFile[]): StagedFolder {
  assertFree(folder);
  let partial: string | undefined;
  const discard = (): void => {
    if (partial !== undefined) rmSync(partial, { recursive: true, force: true });
  };
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (cause) {
      discard();
      throw unusable(folder, messageOf(cause), cause);
    }
  };
  attempt(() => {
    partial = mkdtempSync(`${folder}.partial-`);
    for (const { name, content } of files) writeFileAtomic(join(partial, name), content);
  });
  return {
    discard,
    place: () =>
      attempt(() => {
        renameSync(partial ?? "", folder);
        syncFolder(dirname(folder));
      }),
  };
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
