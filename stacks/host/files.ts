import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { hostErrors } from "./errors.ts";

const UNWRITABLE = new Set(["EEXIST", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOTDIR", "EIO", "ENOENT"]);

/**
 * Runs what writes below the state directory, and turns a full disk or missing rights into one clear error.
 * @throws STATE_UNWRITABLE
 */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!UNWRITABLE.has((thrown as NodeJS.ErrnoException).code ?? "")) throw thrown;
    throw hostErrors.error("STATE_UNWRITABLE", `cannot write "${path}": ${whyUnwritable(path, thrown)}`, {
      path,
      cause: thrown,
    });
  }
}

/**
 * Why a path cannot be written. A recursive `mkdir` says on a read-only file system that there is no such folder: then it is what the
 * nearest folder that is there says.
 * @param access of that folder, which throws where it takes no writing
 */
export function whyUnwritable(path: string, thrown: unknown, access: typeof accessSync = accessSync): string {
  if ((thrown as NodeJS.ErrnoException | undefined)?.code !== "ENOENT") return messageOf(thrown);
  let folder = dirname(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    access(folder, constants.W_OK);
    return messageOf(thrown);
  } catch (refused) {
    return messageOf(refused);
  }
}

/**
 * Makes a folder that only its owner may enter (0700).
 * @throws STATE_UNWRITABLE
 */
export function makePrivateDir(path: string): void {
  writing(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  });
}

/**
 * Writes a file of mode 0600 and its folder, whole or not at all.
 * @throws STATE_UNWRITABLE
 */
export function writePrivate(path: string, content: string | Uint8Array): void {
  makePrivateDir(dirname(path));
  writing(path, () => writeFileAtomic(path, content));
}

/** Whether a file is there with just this content. */
export function holds(path: string, content: string): boolean {
  return existsSync(path) && readFileSync(path, "utf8") === content;
}
