import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../shared/errors.ts";
import { backendErrors } from "../errors.ts";
import { MIGRATIONS } from "./schema.ts";

/**
 * Opens the registry's database in `stateDir`. Every commit is on the disk before it returns, so that a process killed at
 * any moment leaves either all of a change or nothing.
 * @throws BACKEND_STATE_UNUSABLE
 */
export function openDatabase(stateDir: string): DatabaseSync {
  const file = join(stateDir, "backend.db");
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const db = new DatabaseSync(file, { timeout: 5000 });
    db.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
    );
    const check = db.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    if (check !== "ok") throw new Error(`integrity check: ${check}`);
    migrate(db);
    return db;
  } catch (cause) {
    throw backendErrors.error("BACKEND_STATE_UNUSABLE", `cannot open the registry: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
}

/** Takes every step that the database lacks, all of them or none. */
function migrate(db: DatabaseSync): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.user_version);
  if (version > MIGRATIONS.length) throw new Error(`schema version ${version}, accepted: up to ${MIGRATIONS.length}`);
  if (version === MIGRATIONS.length) return;
  transaction(db, () => {
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/**
 * Runs `change` in one transaction: all of it is kept, or nothing when it throws. Within another one it is a part of that.
 * @throws BACKEND_STATE_FULL
 */
export function transaction<T>(db: DatabaseSync, change: () => T): T {
  if (db.isTransaction) return change();
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = change();
    db.exec("COMMIT");
    return result;
  } catch (thrown) {
    // A full disk has rolled back on its own already.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw isDiskFault(thrown)
      ? backendErrors.error("BACKEND_STATE_FULL", `cannot write the registry: ${messageOf(thrown)}`, { cause: thrown })
      : thrown;
  }
}

/** SQLITE_IOERR, SQLITE_FULL (https://sqlite.org/rescode.html): the low byte of the code. */
function isDiskFault(thrown: unknown): boolean {
  const code = (thrown as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" && [10, 13].includes(code & 0xff);
}
