import { readFileSync } from "node:fs";
import pg from "pg";
import type { Placement } from "../../model/placement.ts";
import { DATABASE } from "../../modules/timescaledb/component.ts";

/** Read-only eyes on the database. */
export interface Database {
  /** @throws what `pg` throws, when the database is away too */
  readonly query: <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
  readonly close: () => Promise<void>;
}

/** Connects as the role that may only read. */
export function openDatabase(placement: Placement): Database {
  const { host, port } = placement.endpoint("database", "postgres");
  const password = readFileSync(placement.secretFile("database", "reader.password"), "utf8");
  const pool = new pg.Pool({ host, port, database: DATABASE.database, user: DATABASE.reader, password, max: 2 });
  // A connection that dies in the pool is replaced at the next query.
  pool.on("error", () => undefined);
  return {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await pool.query(text, [...values])).rows as readonly Row[],
    close: () => pool.end(),
  };
}
