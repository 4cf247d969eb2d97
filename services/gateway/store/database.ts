import { mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../shared/errors.ts";
import { gatewayErrors } from "../errors.ts";

/** How much a table of envelopes may hold. */
export interface StoreBounds {
  /** Bytes of envelopes, beside what the database itself takes. */
  readonly maxBytes: number;
  /** Bytes that may still be written. */
  readonly freeBytes: () => number;
}

/** Disk space that is left for the end of rows: a spool on a full disk must still be able to drain. */
export const RESERVE_BYTES: number = 1 << 20;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS spool (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    sensor_id TEXT NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS replay (sensor_id TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at_ms INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    source TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sensor_update (
    sensor_id TEXT PRIMARY KEY,
    counter INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS document (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
`;

/**
 * Opens `gateway.db` in the state directory, and makes both where they are missing. A commit is on the disk when it
 * returns (WAL with synchronous=FULL).
 * @throws GATEWAY_STATE_UNUSABLE
 */
export function openDatabase(stateDir: string): DatabaseSync {
  const path = join(stateDir, "gateway.db");
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path, { timeout: 5000 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 100;");
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (check?.quick_check !== "ok") throw new Error(String(check?.quick_check));
    database.exec(SCHEMA);
    return database;
  } catch (cause) {
    throw gatewayErrors.error("GATEWAY_STATE_UNUSABLE", `cannot open the database: ${messageOf(cause)}`, {
      path,
      cause,
    });
  }
}

/** Makes the function that tells how many bytes may still be written: free on the disk, and free inside the database. */
export function createFreeBytes(database: DatabaseSync, folder: string): () => number {
  const freePages = database.prepare("PRAGMA freelist_count");
  const pageBytes = Number(database.prepare("PRAGMA page_size").get()?.page_size);
  return () => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize + Number(freePages.get()?.freelist_count) * pageBytes;
  };
}
