-- One row for each accepted message. Typed columns hold the payload's members, `payload` all of it.
CREATE TABLE telemetry (
  received_at timestamptz NOT NULL,
  sensor_id bytea NOT NULL,
  boot_id bigint NOT NULL,
  seq bigint NOT NULL,
  sent_at_ms bigint NOT NULL,
  flags integer NOT NULL,
  late boolean NOT NULL,
  gateway text NOT NULL,
  key_id bytea NOT NULL,
  payload jsonb NOT NULL,
  fw text NOT NULL,
  temperature_c double precision,
  humidity_pct double precision,
  pressure_hpa double precision,
  gas_ohm double precision,
  aqi integer,
  battery_mv integer,
  thread_rssi_dbm integer,
  thread_lqi integer,
  thread_parent text,
  motion_x double precision,
  motion_y double precision,
  motion_z double precision,
  ota_campaign text,
  ota_state text,
  ota_version text,
  ota_reason text
);
SELECT create_hypertable('telemetry', by_range('received_at', INTERVAL '1 day'), create_default_indexes => false);
CREATE INDEX telemetry_sensor ON telemetry (sensor_id, received_at DESC);
CREATE INDEX telemetry_time ON telemetry USING brin (received_at) WITH (pages_per_range = 16);
COMMENT ON COLUMN telemetry.sent_at_ms IS 'the sensor''s clock, milliseconds since the Unix epoch; 0 while it is not set';
COMMENT ON COLUMN telemetry.late IS 'behind the sensor''s greatest boot_id, or more than 63 behind the greatest seq of its boot';

-- The bytes of each accepted envelope: provenance for an auditor, with a retention of its own.
CREATE TABLE envelope_raw (
  received_at timestamptz NOT NULL,
  sensor_id bytea NOT NULL,
  boot_id bigint NOT NULL,
  seq bigint NOT NULL,
  allowlist_version bigint NOT NULL,
  bytes bytea NOT NULL
);
SELECT create_hypertable('envelope_raw', by_range('received_at', INTERVAL '1 day'), create_default_indexes => false);
CREATE INDEX envelope_raw_time ON envelope_raw USING brin (received_at) WITH (pages_per_range = 16);
COMMENT ON TABLE envelope_raw IS 'find a message by its key in envelope_seen, which has its received_at, and then here by both';

-- Exactly-once is decided by this primary key, for all collectors.
CREATE TABLE envelope_seen (
  sensor_id bytea NOT NULL,
  boot_id bigint NOT NULL,
  seq bigint NOT NULL,
  digest bytea NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (sensor_id, boot_id, seq)
);

-- What `late` and the floor of a sensor are decided by.
CREATE TABLE sensor_boot (
  sensor_id bytea NOT NULL,
  boot_id bigint NOT NULL,
  first_seen_at timestamptz NOT NULL,
  greatest_seq bigint NOT NULL,
  PRIMARY KEY (sensor_id, boot_id)
) WITH (fillfactor = 50);
-- A sensor's floor is found among its old boots alone.
CREATE INDEX sensor_boot_age ON sensor_boot (sensor_id, first_seen_at);
