import type { Retention } from "../../model/deployment.ts";
import { messageOf } from "../../shared/errors.ts";
import { timescaledbErrors } from "./errors.ts";
import { createClient, type MigrationTarget } from "./migrate.ts";

// Only a policy that says otherwise is altered: altering one that is right would put off its next run.
const SET_RETENTION = `
  SELECT alter_job(job_id, config => config || jsonb_build_object('drop_after', make_interval(secs => $2)::text))
  FROM timescaledb_information.jobs
  WHERE proc_name = 'policy_retention' AND hypertable_name = $1
    AND (config->>'drop_after')::interval <> make_interval(secs => $2)`;

// A refresh of messages that are dropped would empty their aggregate, so it never looks back further than half the retention.
const SET_REFRESH = `
  SELECT alter_job(job_id, config => config || jsonb_build_object('start_offset', back::text))
  FROM timescaledb_information.jobs, least(INTERVAL '7 days', make_interval(secs => $1::float8 / 2)) AS back
  WHERE proc_name = 'policy_refresh_continuous_aggregate' AND (config->>'start_offset')::interval <> back`;

/** How long rows and envelopes are kept. */
export type RowRetention = Pick<Retention, "telemetrySeconds" | "rawSeconds">;

/**
 * Makes the database keep rows and envelopes as long as the deployment says. Run as the owner, after the migrations.
 * @throws RETENTION_FAILED
 */
export async function applyRetention(target: MigrationTarget, retention: RowRetention): Promise<void> {
  const client = createClient(target);
  try {
    await client.connect();
    await client.query(SET_REFRESH, [retention.telemetrySeconds]);
    await client.query(SET_RETENTION, ["telemetry", retention.telemetrySeconds]);
    await client.query(SET_RETENTION, ["envelope_raw", retention.rawSeconds]);
  } catch (cause) {
    throw timescaledbErrors.error("RETENTION_FAILED", `cannot set the retention: ${messageOf(cause)}`, {
      path: "retention",
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}
