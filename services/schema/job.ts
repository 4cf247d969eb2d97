import type { Logger } from "pino";
import { type MigrationTarget, migrate } from "../../modules/timescaledb/migrate.ts";
import { applyRetention } from "../../modules/timescaledb/retention.ts";
import { readPasswords } from "../runtime/postgres/role-passwords.ts";
import { readText } from "../runtime/tls.ts";
import type { SchemaConfig } from "./config.ts";
import { applyExtension, applyRoles } from "./roles.ts";
import { connectWhenThere } from "./wait.ts";

/** What {@link runSchemaJob} is handed. */
export interface SchemaJobContext {
  readonly config: SchemaConfig;
  readonly log: Pick<Logger, "info">;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/**
 * Brings a database to this version: roles where the server is a real Postgres, tables, retention. Changes nothing when it
 * runs again.
 * @throws SCHEMA_DATABASE_AWAY, SCHEMA_DATABASE_REFUSED, SCHEMA_ROLES_FAILED, MIGRATION_FAILED, MIGRATION_DISK_FULL,
 * RETENTION_FAILED, SERVICE_FILE_UNREADABLE, DATABASE_ROLE_SECRET
 */
export async function runSchemaJob({ config, log, now }: SchemaJobContext): Promise<void> {
  const { database, roles, superuser, retention, waitSeconds } = config;
  const passwords = readPasswords(roles);
  const owner = roles.find(({ rights }) => rights === "owner")?.name ?? "";
  const tls = { ca: readText(database.tls.caFile), servername: database.tls.servername };
  const target: MigrationTarget = { ...database, tls, user: owner, password: passwords.get(owner) ?? "" };

  let last = "";
  const onAway = (reason: string): void => {
    if (reason !== last) log.info({ reason }, "waiting for the database");
    last = reason;
  };
  const first = await connectWhenThere({ ...target, user: superuser ?? owner }, { waitSeconds, now, onAway });
  try {
    if (superuser !== undefined) {
      await applyExtension(first);
      await applyRoles(first, database.database, roles, passwords);
      log.info({ roles: roles.map(({ name }) => name) }, "roles");
    }
  } finally {
    await first.end().catch(() => undefined);
  }
  log.info({ migrations: await migrate(target) }, "tables");
  await applyRetention(target, retention);
  log.info(retention, "retention");
}
