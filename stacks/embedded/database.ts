import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Placement } from "../../model/placement.ts";
import { DATABASE } from "../../modules/timescaledb/component.ts";

/** Read-only eyes on the database. */
export interface Database {
  readonly query: <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
  readonly close: () => Promise<void>;
}

/** A query that found the database away is tried again so often, a second apart. */
const TRIES = 10;

/** Connects as the role that may only read. */
export function openDatabase(placement: Placement): Database {
  const { host, port } = placement.endpoint("database", "postgres");
  const password = readFileSync(placement.secretFile("database", "reader.password"), "utf8");
  const pool = new pg.Pool({ host, port, database: DATABASE.database, user: DATABASE.reader, password, max: 2 });
  // A connection that dies in the pool is replaced at the next query.
  pool.on("error", () => undefined);
  return {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      for (let tried = 1; ; tried += 1) {
        try {
          const { rows } = await pool.query(text, [...values]);
          return rows as readonly Row[];
        } catch (thrown) {
          if (tried === TRIES || thrown instanceof pg.DatabaseError) throw thrown;
          await sleep(1_000);
        }
      }
    },
    close: () => pool.end(),
  };
}
