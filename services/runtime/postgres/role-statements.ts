import type { RoleConfig } from "./role-config.ts";

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

/**
 * Statements that make the roles of the configuration, none of them a superuser, and take from all others what is not theirs.
 * Run by the superuser, where Timescale's extension is; again as often as one likes.
 * @param verifierOf - what the server keeps of a role's password (RFC 5803); a server that keeps none itself is not told
 */
export function roleStatements(
  database: string,
  roles: readonly RoleConfig[],
  verifierOf?: (name: string) => string,
): readonly string[] {
  const owners = roles.filter(({ rights }) => rights === "owner").map(({ name }) => name);
  return [
    ...Object.values(GROUPS).map((group) => makeRole(group, "NOLOGIN")),
    `REVOKE TEMPORARY, CREATE ON DATABASE ${database} FROM PUBLIC`,
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    ...roles.map(({ name }) => makeRole(name, verifierOf ? `LOGIN PASSWORD '${verifierOf(name)}'` : "LOGIN")),
    ...owners.flatMap((name) => [
      `GRANT CREATE ON DATABASE ${database} TO ${name}`,
      `GRANT ALL ON SCHEMA public TO ${name} WITH GRANT OPTION`,
    ]),
    ...roles.flatMap(({ name, rights }) => (rights === "owner" ? [] : [`GRANT ${GROUPS[rights]} TO ${name}`])),
    keepToOwners(owners),
  ];
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

function makeRole(name: string, attributes: string): string {
  return `DO $$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') THEN
        CREATE ROLE ${name};
      END IF;
      ALTER ROLE ${name} ${attributes} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END $$`;
}
