import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../shared/errors.ts";
import { databaseErrors } from "./errors.ts";

const SQLITE_BUSY = 5;

/**
 * Holds `dataDir/lock` until the process ends, however it ends: the engine does not notice a second process on its files.
 * Node has no flock; the lock of an SQLite file is one that the kernel lets go with the process.
 * @throws DATABASE_DIR_IN_USE
 * @throws DATABASE_DIR_UNUSABLE
 */
export function lockDataDir(dataDir: string): DatabaseSync {
  try {
    const lock = new DatabaseSync(join(dataDir, "lock"));
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    const busy = cause instanceof Error && "errcode" in cause && cause.errcode === SQLITE_BUSY;
    throw busy
      ? databaseErrors.error("DATABASE_DIR_IN_USE", "another database process uses it", { path: dataDir, cause })
      : databaseErrors.error("DATABASE_DIR_UNUSABLE", `cannot lock it: ${messageOf(cause)}`, { path: dataDir, cause });
  }
}
