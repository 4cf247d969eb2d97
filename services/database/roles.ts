import { readText } from "../runtime/tls.ts";
import type { RoleConfig } from "./config.ts";
import type { Engine } from "./engine.ts";
import { databaseErrors } from "./errors.ts";

const MIN_PASSWORD_CHARACTERS = 16;
/** Roles that migrations grant to; logins are members of one of them. */
const GROUPS = { writer: "trustkern_writer", reader: "trustkern_reader" } as const;

/** Routines by which a role that may only read could still write: large objects, and jobs that the timer would run. */
const WRITERS = [
  ...[
    "lo_creat",
    "lo_create",
    "lo_from_bytea",
    "lo_import",
    "lo_export",
    "lo_open",
    "lo_put",
    "lo_truncate",
    "lo_truncate64",
  ],
  ...["lo_unlink", "lowrite", "add_job", "alter_job", "delete_job", "run_job"],
] as const;

/** Schemas of Timescale's inner routines. Some of those that change something, such as `drop_chunk`, do not ask who calls them. */
const INNER_SCHEMAS = ["_timescaledb_functions", "_timescaledb_internal", "timescaledb_experimental"] as const;
/** Volatile routines there that only read, and that the views and functions for everybody stand on. */
const INNER_READERS = [
  ...["cagg_get_bucket_function_info", "chunks_local_size", "compressed_chunk_local_stats", "get_approx_row_count"],
  ...["has_invalidation_trigger", "hypertable_local_size", "relation_approximate_size", "relation_size"],
] as const;

/** Passwords by role name. @throws SERVICE_FILE_UNREADABLE @throws DATABASE_ROLE_SECRET */
export function readPasswords(roles: readonly RoleConfig[]): ReadonlyMap<string, string> {
  return new Map(roles.map(({ name, passwordFile }) => [name, readPassword(passwordFile)]));
}

function readPassword(path: string): string {
  const password = readText(path).trim();
  if (password.length >= MIN_PASSWORD_CHARACTERS) return password;
  const message = `the password of ${password.length} characters is too short; accepted: ${MIN_PASSWORD_CHARACTERS} or more`;
  throw databaseErrors.error("DATABASE_ROLE_SECRET", message, { path });
}

/** Makes the roles of the configuration, none of them a superuser; run by the superuser. Gives all object ids by role name. */
export async function applyRoles(
  engine: Pick<Engine, "query">,
  database: string,
  roles: readonly RoleConfig[],
): Promise<ReadonlyMap<string, number>> {
  for (const group of Object.values(GROUPS)) await makeRole(engine, group, "NOLOGIN");
  await engine.query(`
    REVOKE TEMPORARY, CREATE ON DATABASE ${database} FROM PUBLIC;
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;`);
  for (const { name, rights } of roles) {
    await makeRole(engine, name, "LOGIN");
    await engine.query(
      rights === "owner"
        ? `GRANT CREATE ON DATABASE ${database} TO ${name}; GRANT ALL ON SCHEMA public TO ${name} WITH GRANT OPTION;`
        : `GRANT ${GROUPS[rights]} TO ${name}`,
    );
  }
  await engine.query(keepToOwners(roles.filter(({ rights }) => rights === "owner").map(({ name }) => name)));
  const rows = await engine.query("SELECT rolname, oid FROM pg_roles");
  return new Map(rows.map(([name, oid]) => [name ?? "", Number(oid)]));
}

/** Takes from everybody what {@link WRITERS} lists and what may write in {@link INNER_SCHEMAS}, and gives it to the owners. */
function keepToOwners(owners: readonly string[]): string {
  return `DO $$
    DECLARE routine regprocedure;
    BEGIN
      FOR routine IN SELECT oid FROM pg_proc WHERE proname IN (${literals(WRITERS)})
        OR provolatile = 'v' AND pronamespace::regnamespace::text IN (${literals(INNER_SCHEMAS)})
          AND proname NOT IN (${literals(INNER_READERS)}) LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', routine);
        ${owners.map((name) => `EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO ${name}', routine);`).join("\n        ")}
      END LOOP;
    END $$`;
}

function literals(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(", ");
}

async function makeRole(engine: Pick<Engine, "query">, name: string, login: "LOGIN" | "NOLOGIN"): Promise<void> {
  const [known] = await engine.query(`SELECT 1 FROM pg_roles WHERE rolname = '${name}'`);
  await engine.query(
    `${known ? "ALTER" : "CREATE"} ROLE ${name} ${login} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION`,
  );
}
