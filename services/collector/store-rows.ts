import type { Payload } from "../../protocol/payload.ts";
import { CopyBuffer } from "./store-copy.ts";
import type { StoreRow } from "./store-types.ts";

/** An accepted row on its way into the tables. */
export interface WritableRow extends StoreRow {
  readonly late: boolean;
  readonly sensorId: Buffer;
  readonly payload: Payload;
}

/** A row with what the tables need of it. The payload is one that `parsePayload` has accepted. */
export function writableRow(row: StoreRow, late: boolean): WritableRow {
  const text = Buffer.from(row.fields.payload.buffer, row.fields.payload.byteOffset, row.fields.payload.length);
  return {
    ...row,
    late,
    sensorId: Buffer.from(row.message.sensorId, "hex"),
    payload: JSON.parse(text.toString("utf8")) as Payload,
  };
}

/** Statement and data of one COPY. */
export interface CopyStatement {
  readonly sql: string;
  readonly data: Buffer;
}

/** The keys, which the unique index confirms. */
export function copySeen(rows: readonly WritableRow[]): CopyStatement {
  const buffer = new CopyBuffer();
  for (const { sensorId, fields, digest, message } of rows) {
    buffer.row(5);
    buffer.bytea(sensorId);
    buffer.int8(fields.bootId);
    buffer.int8(fields.seq);
    buffer.bytea(digest);
    buffer.timestamptz(message.receivedAtMs);
  }
  return statement("envelope_seen (sensor_id, boot_id, seq, digest, received_at)", buffer);
}

/** The envelopes' bytes. */
export function copyRaw(rows: readonly WritableRow[]): CopyStatement {
  const buffer = new CopyBuffer();
  for (const { sensorId, fields, allowlistVersion, message } of rows) {
    buffer.row(6);
    buffer.timestamptz(message.receivedAtMs);
    buffer.bytea(sensorId);
    buffer.int8(fields.bootId);
    buffer.int8(fields.seq);
    buffer.int8(allowlistVersion);
    buffer.bytea(message.bytes);
  }
  return statement("envelope_raw (received_at, sensor_id, boot_id, seq, allowlist_version, bytes)", buffer);
}

/** The messages, a typed column for each member of the payload. */
export function copyTelemetry(rows: readonly WritableRow[]): CopyStatement {
  const buffer = new CopyBuffer();
  for (const row of rows) {
    const { fields, message, payload } = row;
    buffer.row(27);
    buffer.timestamptz(message.receivedAtMs);
    buffer.bytea(row.sensorId);
    buffer.int8(fields.bootId);
    buffer.int8(fields.seq);
    buffer.int8(fields.timestamp);
    buffer.int4(fields.flags);
    buffer.bool(row.late);
    buffer.text(message.gateway);
    buffer.bytea(fields.keyId);
    buffer.jsonb(fields.payload);
    buffer.text(payload.fw);
    buffer.float8(payload.temperature_c);
    buffer.float8(payload.humidity_pct);
    buffer.float8(payload.pressure_hpa);
    buffer.float8(payload.gas_ohm);
    buffer.int4(payload.aqi);
    buffer.int4(payload.battery_mv);
    buffer.int4(payload.thread?.rssi_dbm);
    buffer.int4(payload.thread?.lqi);
    buffer.text(payload.thread?.parent);
    for (const axis of [0, 1, 2]) buffer.float8(payload.motion?.[axis]);
    buffer.text(payload.ota?.campaign);
    buffer.text(payload.ota?.state);
    buffer.text(payload.ota?.version);
    buffer.text(payload.ota?.reason);
  }
  return statement(`telemetry (${TELEMETRY_COLUMNS.join(", ")})`, buffer);
}

const TELEMETRY_COLUMNS = [
  ...[
    "received_at",
    "sensor_id",
    "boot_id",
    "seq",
    "sent_at_ms",
    "flags",
    "late",
    "gateway",
    "key_id",
    "payload",
    "fw",
  ],
  ...["temperature_c", "humidity_pct", "pressure_hpa", "gas_ohm", "aqi", "battery_mv"],
  ...["thread_rssi_dbm", "thread_lqi", "thread_parent", "motion_x", "motion_y", "motion_z"],
  ...["ota_campaign", "ota_state", "ota_version", "ota_reason"],
];

function statement(target: string, buffer: CopyBuffer): CopyStatement {
  return { sql: `COPY ${target} FROM STDIN (FORMAT binary)`, data: buffer.finish() };
}
