import { messageOf } from "../../shared/errors.ts";
import type { RoleConfig } from "../runtime/postgres/role-config.ts";
import { DATABASE_NAME, type Engine, openEngine } from "./engine.ts";
import { createIdentity, type Identity } from "./engine-identity.ts";
import { databaseErrors } from "./errors.ts";
import { applyRoles } from "./roles.ts";

/**
 * Defaults of every session. The engine writes no log, and at its own level would spend half of its time on lines that nobody reads;
 * parallel workers and JIT are not there; filling a segment of the log with zeros is of no use without syncs.
 */
const DEFAULTS = {
  client_min_messages: "notice",
  log_min_messages: "panic",
  log_min_error_statement: "panic",
  search_path: '"$user", public',
  jit: "off",
  max_parallel_workers_per_gather: "0",
  wal_init_zero: "off",
} as const;

/** An engine with its extension, its roles and sessions that are bound to them. */
export interface OpenDatabase {
  readonly engine: Engine;
  readonly identity: Identity;
}

/**
 * Opens the cluster and makes it ready for clients.
 * @throws the codes of {@link openEngine}
 * @throws DATABASE_ROLES_UNSAFE
 */
export async function openDatabase(dataDir: string, roles: readonly RoleConfig[]): Promise<OpenDatabase> {
  const engine = await openEngine(dataDir);
  await loadTimescale(engine);
  const oids = await applyRoles(engine, DATABASE_NAME, roles);
  const groups = [...oids].filter(([name]) => name.startsWith("trustkern_"));
  const identity = createIdentity(engine.module, oids, groups);
  for (const [name, value] of Object.entries(DEFAULTS)) identity.setDefault(name, value);
  await checkIdentity(engine, identity);
  return { engine, identity };
}

/**
 * Nothing is preloaded here, so that a second start would have hypertables without the code that serves them, and without the
 * part (tsl) that compresses, refreshes and runs jobs.
 */
async function loadTimescale(engine: Engine): Promise<void> {
  await engine.query("CREATE EXTENSION IF NOT EXISTS timescaledb");
  const [row] = await engine.query("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'");
  for (const library of ["timescaledb", "timescaledb-tsl"]) await engine.query(`LOAD '${library}-${row?.[0]}'`);
}

/** Tries every way back to the superuser that SQL has, as a role that must not find one. */
async function checkIdentity(engine: Engine, identity: Identity): Promise<void> {
  const reader = "trustkern_reader";
  identity.become(reader);
  await engine.query("SET SESSION AUTHORIZATION postgres").catch(messageOf);
  await engine.query("SET ROLE postgres").catch(messageOf);
  for (const way of ["RESET SESSION AUTHORIZATION", "RESET ROLE", "DISCARD ALL"]) await engine.query(way);
  const [row] = await engine.query("SELECT session_user, current_user, current_setting('is_superuser')");
  identity.become("postgres");
  if (row?.join() === [reader, reader, "off"].join()) return;
  throw databaseErrors.error("DATABASE_ROLES_UNSAFE", `a session of ${reader} became ${row?.join()}`);
}
