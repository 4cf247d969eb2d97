/** What the registry holds since its first version: sensors, their provisioning, and what is signed for them. */
const SENSORS = `
CREATE TABLE device (
  sensor_id TEXT PRIMARY KEY,
  public_key TEXT NOT NULL UNIQUE,
  maker TEXT NOT NULL,
  model TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('provisioning', 'active', 'revoked')),
  update_counter INTEGER NOT NULL DEFAULT 0,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE challenge (
  challenge_id TEXT PRIMARY KEY,
  sensor_id TEXT NOT NULL,
  nonce TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE bundle (
  bundle_id TEXT PRIMARY KEY,
  sensor_id TEXT NOT NULL REFERENCES device (sensor_id),
  state TEXT NOT NULL CHECK (state IN ('issued', 'superseded', 'activated')),
  issued_at INTEGER NOT NULL
) STRICT;
CREATE INDEX bundle_of_sensor ON bundle (sensor_id);
CREATE TABLE recipient (key_id TEXT PRIMARY KEY, public_key TEXT NOT NULL, not_before TEXT NOT NULL) STRICT;
CREATE TABLE sensor_update (sensor_id TEXT PRIMARY KEY REFERENCES device (sensor_id), bytes BLOB NOT NULL) STRICT;
CREATE TABLE allowlist (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL) STRICT;
INSERT INTO allowlist VALUES (1, 0);
`;

/** Makers, made devices, gateways, their certificates and tokens, and what is revoked. */
const FLEET = `
CREATE TABLE maker (
  name TEXT PRIMARY KEY,
  public_key TEXT,
  certificate_pem TEXT,
  state TEXT NOT NULL CHECK (state IN ('trusted', 'revoked')),
  changed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE device_record (
  digest TEXT PRIMARY KEY,
  maker TEXT NOT NULL REFERENCES maker (name),
  issued_at INTEGER NOT NULL,
  record TEXT NOT NULL,
  imported_at INTEGER NOT NULL
) STRICT;
CREATE TABLE made_device (
  hardware_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('gateway', 'sensor')),
  maker TEXT NOT NULL,
  model TEXT NOT NULL,
  public_key TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL CHECK (source IN ('built-in', 'record')),
  state TEXT NOT NULL CHECK (state IN ('made', 'revoked')),
  changed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE gateway (
  name TEXT PRIMARY KEY,
  hardware_id TEXT UNIQUE REFERENCES made_device (hardware_id),
  state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
  enrolled_at INTEGER,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE authority (key_id TEXT PRIMARY KEY, name TEXT NOT NULL, pem TEXT NOT NULL) STRICT;
CREATE TABLE certificate (
  serial TEXT PRIMARY KEY,
  sha256 TEXT UNIQUE,
  issuer TEXT NOT NULL,
  class TEXT NOT NULL CHECK (class IN ('services', 'gateways', 'operators')),
  name TEXT NOT NULL,
  public_key TEXT NOT NULL,
  not_after INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('expected', 'issued', 'revoked')),
  reason TEXT,
  revoked_at INTEGER,
  verdict TEXT,
  recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX certificate_of_name ON certificate (name);
CREATE TABLE gateway_token (
  id TEXT PRIMARY KEY,
  gateway TEXT NOT NULL REFERENCES gateway (name),
  sha256 TEXT NOT NULL UNIQUE,
  certificate_sha256 TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE INDEX token_of_gateway ON gateway_token (gateway);
CREATE TABLE failed_attempt (identity TEXT NOT NULL, address TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX failed_attempt_of_identity ON failed_attempt (identity, address);
CREATE TABLE lock_out (
  identity TEXT NOT NULL,
  address TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (identity, address)
) STRICT;
CREATE TABLE crl (
  key_id TEXT PRIMARY KEY REFERENCES authority (key_id),
  issuer TEXT NOT NULL,
  number TEXT NOT NULL,
  next_update INTEGER NOT NULL,
  pem TEXT NOT NULL,
  received_at INTEGER NOT NULL
) STRICT;
CREATE TABLE crl_entry (
  key_id TEXT NOT NULL REFERENCES crl (key_id) ON DELETE CASCADE,
  issuer TEXT NOT NULL,
  serial TEXT NOT NULL,
  PRIMARY KEY (key_id, serial)
) STRICT;
CREATE INDEX crl_entry_of_issuer ON crl_entry (issuer, serial);
CREATE TABLE ended_session (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('certificate-revoked', 'token-revoked')),
  at INTEGER NOT NULL
) STRICT;
CREATE TABLE webhook_request (digest TEXT PRIMARY KEY, answer TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE gateway_trust (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  version INTEGER NOT NULL,
  anchors TEXT NOT NULL,
  pins TEXT NOT NULL
) STRICT;
CREATE TABLE firmware (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  version TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  published_at INTEGER NOT NULL
) STRICT;
`;

/** Which certificate an ended session had, and when a token was used. */
const USE = `
ALTER TABLE ended_session ADD COLUMN serial TEXT;
ALTER TABLE gateway_token ADD COLUMN last_used_at INTEGER;
`;

/** When certificates begin. Of one that is on record already, nobody knows better than when that was. */
const LIFE = `
ALTER TABLE certificate ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;
UPDATE certificate SET not_before = recorded_at;
`;

/** Which leaves of gateways may stay, and what each gateway showed and said last. */
const CONTACTS = `
ALTER TABLE gateway_trust ADD COLUMN gateway_authorities TEXT NOT NULL DEFAULT '[]';
CREATE TABLE gateway_contact (
  gateway TEXT PRIMARY KEY REFERENCES gateway (name),
  certificate_sha256 TEXT NOT NULL,
  authority_sha256 TEXT,
  seen_at INTEGER NOT NULL,
  trust TEXT,
  trust_at INTEGER
) STRICT;
`;

/** One-time tokens that gateways elsewhere enrol with. Of a token there is its SHA-256 alone. */
const ENROLMENT_TOKENS = `
CREATE TABLE enrolment_token (
  id TEXT PRIMARY KEY,
  gateway TEXT NOT NULL REFERENCES gateway (name),
  hardware_id TEXT NOT NULL REFERENCES made_device (hardware_id),
  sha256 TEXT NOT NULL UNIQUE,
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER,
  ended TEXT CHECK (ended IN ('used', 'replaced', 'revoked'))
) STRICT;
CREATE INDEX enrolment_token_of_gateway ON enrolment_token (gateway);
`;

/** The steps from an empty database to the newest schema; step n makes version n. A step that was released never changes. */
export const MIGRATIONS: readonly string[] = [SENSORS, FLEET, USE, LIFE, CONTACTS, ENROLMENT_TOKENS];
