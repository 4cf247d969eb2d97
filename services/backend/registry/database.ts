import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../shared/errors.ts";
import { backendErrors } from "../errors.ts";

const SCHEMA_VERSION = 1;

const SCHEMA = `
CREATE TABLE device (
  sensor_id TEXT PRIMARY KEY,
  public_key TEXT NOT NULL UNIQUE,
  maker TEXT NOT NULL,
  model TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('provisioning', 'active', 'revoked')),
  update_counter INTEGER NOT NULL DEFAULT 0,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE challenge (
  challenge_id TEXT PRIMARY KEY,
  sensor_id TEXT NOT NULL,
  nonce TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE bundle (
  bundle_id TEXT PRIMARY KEY,
  sensor_id TEXT NOT NULL REFERENCES device (sensor_id),
  state TEXT NOT NULL CHECK (state IN ('issued', 'superseded', 'activated')),
  issued_at INTEGER NOT NULL
) STRICT;
CREATE INDEX bundle_of_sensor ON bundle (sensor_id);
CREATE TABLE recipient (key_id TEXT PRIMARY KEY, public_key TEXT NOT NULL, not_before TEXT NOT NULL) STRICT;
CREATE TABLE sensor_update (sensor_id TEXT PRIMARY KEY REFERENCES device (sensor_id), bytes BLOB NOT NULL) STRICT;
CREATE TABLE allowlist (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL) STRICT;
INSERT INTO allowlist VALUES (1, 0);
PRAGMA user_version = ${SCHEMA_VERSION};
`;

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

function migrate(db: DatabaseSync): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.user_version);
  if (version === 0) transaction(db, () => db.exec(SCHEMA));
  else if (version !== SCHEMA_VERSION) throw new Error(`schema version ${version}, accepted: ${SCHEMA_VERSION}`);
}

/**
 * Runs `change` in one transaction: all of it is kept, or nothing when it throws.
 * @throws BACKEND_STATE_FULL
 */
export function transaction<T>(db: DatabaseSync, change: () => T): T {
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
