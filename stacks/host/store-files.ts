import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { holds, makePrivateDir, writePrivate, writing } from "./files.ts";

/** How the secret store is changed: one file at a time, each whole or not at all, so that a death lies between two of them. */
export interface StoreFiles {
  /** Puts a file of mode 0600 in place, where it has not this content already; whether it had not. */
  readonly write: (path: string, content: string) => boolean;
  /** Puts a file's bytes into another one of mode 0600, whole or not at all. */
  readonly copy: (from: string, to: string) => void;
  /** Takes a file away, where it is there. */
  readonly remove: (path: string) => void;
}

/** The files of this host. */
export const hostFiles: StoreFiles = {
  write: (path, content) => {
    if (holds(path, content)) return false;
    makePrivateDir(dirname(path));
    writePrivate(path, content);
    return true;
  },
  copy: (from, to) => writePrivate(to, readFileSync(from)),
  remove: (path) => writing(path, () => rmSync(path, { force: true })),
};
