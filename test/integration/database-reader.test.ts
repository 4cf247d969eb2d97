import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DatabaseHarness } from "./database/harness.ts";

const database = new DatabaseHarness();
let owner: pg.Client;
let job: string;
let chunk: string;
let before: unknown;

beforeAll(async () => {
  database.configure({ jobsIntervalSeconds: 3600 });
  await database.start();
  await database.migrate();
  owner = await database.connect("trustkern");
  await owner.query(`INSERT INTO telemetry
    (received_at, sensor_id, boot_id, seq, sent_at_ms, flags, late, gateway, key_id, payload, fw, temperature_c)
    VALUES (now() - INTERVAL '20 days', '\\x01', 1, 1, 0, 0, false, 'gw-01', '\\x00', '{}', '1.0.0', 20)`);
  const jobs = "SELECT min(job_id)::text AS job FROM timescaledb_information.jobs WHERE job_id >= 1000";
  job = (await owner.query(jobs)).rows[0].job;
  chunk = (await owner.query("SELECT show_chunks('telemetry')::text AS chunk")).rows[0].chunk;
  before = await everything();
});
afterAll(() => database.close());

/** What a write would have changed: rows, chunks, jobs, tables, routines, large objects and settings. */
async function everything(): Promise<unknown> {
  const counts = [
    "telemetry",
    "timescaledb_information.chunks",
    "timescaledb_information.jobs",
    "pg_class",
    "pg_proc",
    "pg_largeobject_metadata",
    "pg_db_role_setting",
  ];
  const state = counts.map((name) => `(SELECT count(*) FROM ${name})`);
  const jobs = "(SELECT string_agg(jobs::text, ';' ORDER BY job_id) FROM timescaledb_information.jobs)";
  const chunks = "(SELECT string_agg(id || '/' || status, ';' ORDER BY id) FROM _timescaledb_catalog.chunk)";
  return (await owner.query(`SELECT ${[...state, jobs, chunks].join(", ")}`)).rows;
}

describe("the role that only reads", () => {
  const functions = "_timescaledb_functions";
  it.each([
    "SELECT * FROM telemetry",
    "SELECT * FROM telemetry_1m",
    "SELECT * FROM telemetry_1h",
    "SELECT time_bucket('1 day', received_at), first(temperature_c, received_at), last(fw, received_at), histogram(temperature_c, 0, 50, 5) FROM telemetry GROUP BY 1",
    "SELECT time_bucket_gapfill('1 day', received_at, now() - INTERVAL '30 days', now()), locf(avg(temperature_c)) FROM telemetry GROUP BY 1",
    "SELECT show_chunks('telemetry')",
    "SELECT hypertable_size('telemetry'), approximate_row_count('telemetry')",
    "SELECT * FROM hypertable_detailed_size('telemetry')",
    "SELECT * FROM hypertable_compression_stats('telemetry')",
    "SELECT * FROM timescaledb_information.chunks",
    "SELECT * FROM timescaledb_information.jobs",
    "SELECT * FROM timescaledb_information.job_stats",
    "SELECT * FROM timescaledb_information.continuous_aggregates",
    "SELECT * FROM quarantine, security_event, device",
  ])("may read by %s", async (sql) => {
    const reader = await database.connect("reader");
    await reader.query(sql);
    await reader.end();
  });

  it.each([
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_open(1, 131072)",
    "SELECT lo_put(1, 0, 'x')",
    "SELECT lowrite(0, 'x')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT add_job('now', '1 second')",
    `SELECT add_job('${functions}.policy_retention', '1 second')`,
    "SELECT alter_job(JOB, scheduled => false)",
    "SELECT delete_job(JOB)",
    "CALL run_job(JOB)",
    "CALL prune_below_floor(0, '{}')",
    `CALL prune_security_events(0, '{"max_rows": 0}')`,
    "SELECT add_retention_policy('telemetry', INTERVAL '1 second', if_not_exists => true)",
    "SELECT remove_retention_policy('telemetry')",
    "SELECT remove_compression_policy('telemetry')",
    "SELECT remove_continuous_aggregate_policy('telemetry_1m')",
    "SELECT drop_chunks('telemetry', INTERVAL '1 second')",
    "SELECT compress_chunk(CHUNK)",
    "SELECT set_chunk_time_interval('telemetry', INTERVAL '1 hour')",
    "SELECT reorder_chunk(CHUNK)",
    "CALL refresh_continuous_aggregate('telemetry_1m', NULL, NULL)",
    "SELECT timescaledb_pre_restore()",
    `SELECT ${functions}.drop_chunk(CHUNK)`,
    `SELECT ${functions}.freeze_chunk(CHUNK)`,
    `SELECT ${functions}.unfreeze_chunk(CHUNK)`,
    `SELECT ${functions}.alter_job_set_hypertable_id(JOB, 'telemetry')`,
    `SELECT ${functions}.create_chunk('telemetry', '{"received_at": [0, 86400000000]}')`,
    `SELECT ${functions}.remove_dropped_chunk_metadata(1)`,
    `SELECT ${functions}.hypertable_osm_range_update('telemetry', NULL::bigint, NULL::bigint)`,
    `CALL ${functions}.policy_retention(JOB, '{"drop_after": "1 second", "hypertable_id": 1}')`,
    `CALL ${functions}.policy_compression(JOB, '{"compress_after": "1 second", "hypertable_id": 1}')`,
    `CALL ${functions}.cagg_migrate_update_watermark(1)`,
    `CALL ${functions}.repair_relation_acls()`,
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE MATERIALIZED VIEW mine AS SELECT 1",
    "ALTER DATABASE trustkern SET work_mem = '1GB'",
    "SELECT 1 FROM telemetry FOR UPDATE",
    "TRUNCATE telemetry",
    "SELECT nextval('quarantine_id_seq')",
    "SELECT setval('quarantine_id_seq', 1)",
    "SELECT pg_switch_wal()",
    "COMMENT ON TABLE telemetry IS 'mine'",
  ])("is refused %s", async (sql) => {
    const reader = await database.connect("reader");
    const call = sql.replace("JOB", job).replace("CHUNK", `'${chunk}'`);
    await expect(reader.query(call)).rejects.toMatchObject({ code: "42501" });
    await reader.end();
  });

  it("has changed nothing by all of that", async () => {
    expect(await everything()).toEqual(before);
  });
});
