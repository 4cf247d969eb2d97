-- Aggregates that dashboards read instead of the messages.
CREATE MATERIALIZED VIEW telemetry_1m WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
  time_bucket(INTERVAL '1 minute', received_at) AS bucket,
  sensor_id,
  count(*) AS messages,
  count(*) FILTER (WHERE late) AS late,
  avg(temperature_c) AS temperature_c,
  min(temperature_c) AS temperature_c_min,
  max(temperature_c) AS temperature_c_max,
  avg(humidity_pct) AS humidity_pct,
  avg(pressure_hpa) AS pressure_hpa,
  avg(gas_ohm) AS gas_ohm,
  max(aqi) AS aqi_max,
  min(battery_mv) AS battery_mv_min,
  avg(thread_rssi_dbm) AS thread_rssi_dbm
FROM telemetry GROUP BY bucket, sensor_id WITH NO DATA;

CREATE MATERIALIZED VIEW telemetry_1h WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
  time_bucket(INTERVAL '1 hour', received_at) AS bucket,
  sensor_id,
  count(*) AS messages,
  count(*) FILTER (WHERE late) AS late,
  avg(temperature_c) AS temperature_c,
  min(temperature_c) AS temperature_c_min,
  max(temperature_c) AS temperature_c_max,
  avg(humidity_pct) AS humidity_pct,
  avg(pressure_hpa) AS pressure_hpa,
  avg(gas_ohm) AS gas_ohm,
  max(aqi) AS aqi_max,
  min(battery_mv) AS battery_mv_min,
  avg(thread_rssi_dbm) AS thread_rssi_dbm
FROM telemetry GROUP BY bucket, sensor_id WITH NO DATA;

GRANT SELECT ON telemetry_1m, telemetry_1h TO trustkern_reader;

-- A refresh computes only what changed since the last one, in one go, so that a long start costs nothing, and catches up with what came
-- shortly before a stop. It has to be shorter than the messages' retention: a refresh of dropped messages would empty the aggregate.
SELECT add_continuous_aggregate_policy('telemetry_1m', INTERVAL '7 days', INTERVAL '1 minute', INTERVAL '1 minute', buckets_per_batch => 0);
SELECT add_continuous_aggregate_policy('telemetry_1h', INTERVAL '7 days', INTERVAL '1 hour', INTERVAL '30 minutes', buckets_per_batch => 0);

ALTER TABLE telemetry SET (timescaledb.compress, timescaledb.compress_segmentby = 'sensor_id', timescaledb.compress_orderby = 'received_at DESC');
ALTER TABLE envelope_raw SET (timescaledb.compress, timescaledb.compress_segmentby = 'sensor_id', timescaledb.compress_orderby = 'received_at DESC');
SELECT add_compression_policy('telemetry', INTERVAL '7 days');
SELECT add_compression_policy('envelope_raw', INTERVAL '7 days');

SELECT add_retention_policy('telemetry', INTERVAL '365 days');
SELECT add_retention_policy('telemetry_1m', INTERVAL '730 days');
SELECT add_retention_policy('envelope_raw', INTERVAL '90 days');
SELECT add_retention_policy('security_event', INTERVAL '400 days');

-- The index of stored messages is kept for the boots from a sensor's floor on: below it everything is a replay.
CREATE PROCEDURE prune_below_floor(job_id integer, config jsonb) LANGUAGE sql AS $$
  DELETE FROM envelope_seen USING (
    SELECT sensor_id, max(boot_id) AS floor FROM sensor_boot
    WHERE first_seen_at <= now() - INTERVAL '30 days' GROUP BY sensor_id
  ) AS old
  WHERE envelope_seen.sensor_id = old.sensor_id AND envelope_seen.boot_id < old.floor;
  DELETE FROM sensor_boot USING (
    SELECT sensor_id, max(boot_id) AS floor FROM sensor_boot
    WHERE first_seen_at <= now() - INTERVAL '30 days' GROUP BY sensor_id
  ) AS old
  WHERE sensor_boot.sensor_id = old.sensor_id AND sensor_boot.boot_id < old.floor;
$$;
SELECT add_job('prune_below_floor', INTERVAL '1 day');

-- Whatever an attacker does, the events keep to a number of rows: the newest.
CREATE PROCEDURE prune_security_events(job_id integer, config jsonb) LANGUAGE sql AS $$
  DELETE FROM security_event WHERE time <= (
    SELECT time FROM security_event ORDER BY time DESC OFFSET (config->>'max_rows')::bigint LIMIT 1
  );
$$;
SELECT add_job('prune_security_events', INTERVAL '1 hour', config => '{"max_rows": 1000000}');
