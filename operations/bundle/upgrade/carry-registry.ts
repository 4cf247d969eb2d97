import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../shared/errors.ts";
import { siteErrors } from "../install/errors.ts";

/**
 * Has the registry of an earlier version say what that of a newer one says, in the form that the earlier one knows: every row of
 * every table that both have, in the columns that both have. Where the newer one has given a table up, nothing of it counts any more. All
 * of it, or nothing; again, it changes nothing.
 * @param newer the registry as it is now; where there is none, there is nothing to carry
 * @param older the registry of the copy; where there is none, it knows nobody
 * @throws BUNDLE_FORWARD_REFUSED
 */
export function carryRegistry(newer: string, older: string): void {
  if (!existsSync(newer) || !existsSync(older)) return;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(older, { timeout: 5000, enableForeignKeyConstraints: false });
    db.exec("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
    db.prepare("ATTACH DATABASE ? AS newer").run(newer);
    const check = db.prepare("PRAGMA newer.quick_check(1)").get()?.quick_check;
    if (check !== "ok") throw new Error(`integrity check: ${check}`);
    db.exec("BEGIN IMMEDIATE");
    for (const table of tablesOf(db, "main")) carryTable(db, table);
    db.exec("COMMIT");
  } catch (cause) {
    const message = `the registry "${newer}" cannot be carried over to the version before: ${messageOf(cause)}`;
    throw siteErrors.error("BUNDLE_FORWARD_REFUSED", message, { path: newer, cause });
  } finally {
    // What is open is rolled back.
    db?.close();
  }
}

type Schema = "main" | "newer";

function carryTable(db: DatabaseSync, table: string): void {
  const known = new Set(columnsOf(db, "newer", table));
  const columns = columnsOf(db, "main", table)
    .filter((column) => known.has(column))
    .map(quoted)
    .join(", ");
  db.exec(`DELETE FROM main.${quoted(table)}`);
  if (columns === "") return;
  db.exec(`INSERT INTO main.${quoted(table)} (${columns}) SELECT ${columns} FROM newer.${quoted(table)}`);
}

/** With the counters of rows that number themselves, and last: rows that are inserted move them. */
function tablesOf(db: DatabaseSync, schema: Schema): readonly string[] {
  const names = db
    .prepare(`SELECT name FROM ${schema}.sqlite_schema WHERE type = 'table' ORDER BY name`)
    .all()
    .map(({ name }) => String(name));
  const own = names.filter((name) => !name.startsWith("sqlite_"));
  return names.includes("sqlite_sequence") ? [...own, "sqlite_sequence"] : own;
}

function columnsOf(db: DatabaseSync, schema: Schema, table: string): readonly string[] {
  return db
    .prepare("SELECT name FROM pragma_table_info(?, ?)")
    .all(table, schema)
    .map(({ name }) => String(name));
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
