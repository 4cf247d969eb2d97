import { join } from "node:path";
import { runner } from "node-pg-migrate";
import pg from "pg";
import { messageOf } from "../../shared/errors.ts";
import { type PostgresTls, postgresTls } from "../../shared/postgres-tls.ts";
import { timescaledbErrors } from "./errors.ts";

/** SQLSTATE `disk_full` (PostgreSQL, appendix A). */
const DISK_FULL = "53100";

/** Where the database is, and its owner. */
export interface MigrationTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** @default no TLS */
  readonly tls?: PostgresTls | undefined;
}

/**
 * A client for a target, not connected yet. Whoever uses it is told of a connection that breaks; while nobody does, it is no error of
 * the process.
 * @param connectionTimeoutMillis 0 for none
 */
export function createClient({ tls, ...target }: MigrationTarget, connectionTimeoutMillis = 0): pg.Client {
  const client = new pg.Client({ ...target, ssl: tls ? postgresTls(tls) : false, connectionTimeoutMillis });
  client.on("error", () => undefined);
  return client;
}

/**
 * Brings the database's tables to this version, in one transaction. Gives the names of the migrations that it ran.
 * @throws MIGRATION_DISK_FULL, MIGRATION_FAILED
 */
export async function migrate(target: MigrationTarget): Promise<readonly string[]> {
  const client = createClient(target);
  try {
    await client.connect();
    const done = await runner({
      dbClient: client,
      dir: join(import.meta.dirname, "migrations"),
      migrationsTable: "schema_migration",
      direction: "up",
      singleTransaction: true,
      log: () => {},
    });
    return done.map(({ name }) => name);
  } catch (cause) {
    const code = (cause as { code?: unknown }).code === DISK_FULL ? "MIGRATION_DISK_FULL" : "MIGRATION_FAILED";
    throw timescaledbErrors.error(code, `cannot migrate: ${messageOf(cause)}`, {
      path: `${target.host}:${target.port}/${target.database}`,
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}
