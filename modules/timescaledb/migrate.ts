import { join } from "node:path";
import { runner } from "node-pg-migrate";
import { messageOf } from "../../shared/errors.ts";
import { timescaledbErrors } from "./errors.ts";

/** Where the database is, and its owner. */
export interface MigrationTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/**
 * Brings the database's tables to this version, in one transaction. Gives the names of the migrations that it ran.
 * @throws MIGRATION_FAILED
 */
export async function migrate(target: MigrationTarget): Promise<readonly string[]> {
  try {
    const done = await runner({
      databaseUrl: { ...target },
      dir: join(import.meta.dirname, "migrations"),
      migrationsTable: "schema_migration",
      direction: "up",
      singleTransaction: true,
      log: () => {},
    });
    return done.map(({ name }) => name);
  } catch (cause) {
    throw timescaledbErrors.error("MIGRATION_FAILED", `cannot migrate: ${messageOf(cause)}`, {
      path: `${target.host}:${target.port}/${target.database}`,
      cause,
    });
  }
}
