CREATE TABLE device (
  sensor_id bytea PRIMARY KEY,
  maker text,
  public_key bytea,
  state text NOT NULL CHECK (state IN ('allowed', 'reporting', 'revoked')),
  firmware text,
  first_seen timestamptz,
  last_seen timestamptz
) WITH (fillfactor = 50);

CREATE TABLE quarantine (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  received_at timestamptz NOT NULL,
  verdict text NOT NULL,
  gateway text NOT NULL,
  sensor_id bytea,
  digest bytea NOT NULL UNIQUE,
  size integer NOT NULL,
  bytes bytea NOT NULL
);

-- Sums that would be too slow to count; moved in the transaction of each batch.
CREATE TABLE store_total (
  id smallint PRIMARY KEY CHECK (id = 1),
  accepted bigint NOT NULL,
  quarantined bigint NOT NULL,
  quarantine_bytes bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO store_total VALUES (1, 0, 0, 0);

CREATE TABLE security_event (
  time timestamptz NOT NULL,
  kind text NOT NULL,
  tenant text NOT NULL,
  actor text NOT NULL,
  source_address text,
  object text NOT NULL,
  reason text NOT NULL,
  count bigint NOT NULL,
  correlation_id text
);
SELECT create_hypertable('security_event', by_range('time', INTERVAL '7 days'));

GRANT SELECT, INSERT ON telemetry, envelope_raw, security_event TO trustkern_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON envelope_seen, sensor_boot, device, quarantine, store_total TO trustkern_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO trustkern_reader;
