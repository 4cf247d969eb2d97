import { FLOOR_AGE_MS } from "../../protocol/collector-order.ts";
import type { StoreSession } from "./store-connection.ts";
import { type BootRow, keyOf, type SensorUpdate } from "./store-order.ts";
import type { WritableRow } from "./store-rows.ts";
import type { StoredDevice, StoreRow } from "./store-types.ts";

/**
 * The boots that decide over a batch, and no more, however often a sensor has booted: of each sensor the greatest and the floor, and
 * those that the batch names. They are locked in one order, so that collectors that store the same sensors wait for each other.
 */
export async function readBoots(session: StoreSession, rows: readonly StoreRow[], nowMs: number): Promise<BootRow[]> {
  const sensorIds = [...new Set(rows.map(({ message }) => message.sensorId))].map(bytesOf);
  const named = new Map(rows.map((row) => [`${row.message.sensorId}/${row.fields.bootId}`, row]));
  const found = await session.query(
    `SELECT encode(sensor_id, 'hex') AS sensor_id, boot_id, greatest_seq,
       (extract(epoch FROM first_seen_at) * 1000)::bigint AS first_seen_at_ms
     FROM (
       SELECT sensor_id, boot_id FROM unnest($1::bytea[]) AS sensor (sensor_id), LATERAL (
         (SELECT boot_id FROM sensor_boot AS own WHERE own.sensor_id = sensor.sensor_id ORDER BY boot_id DESC LIMIT 1)
         UNION
         (SELECT max(boot_id) FROM (
            SELECT boot_id FROM sensor_boot AS own
            WHERE own.sensor_id = sensor.sensor_id AND first_seen_at <= to_timestamp($4::double precision / 1000) OFFSET 0
          ) AS old)
       ) AS decisive
       UNION
       SELECT sensor_id, boot_id FROM unnest($2::bytea[], $3::bigint[]) AS named (sensor_id, boot_id)
     ) AS wanted JOIN sensor_boot USING (sensor_id, boot_id)
     ORDER BY sensor_boot.sensor_id, boot_id FOR UPDATE OF sensor_boot`,
    [
      sensorIds,
      [...named.values()].map(({ message }) => bytesOf(message.sensorId)),
      [...named.values()].map(({ fields }) => fields.bootId),
      nowMs - FLOOR_AGE_MS,
    ],
  );
  return found.map((row) => ({
    sensorId: String(row.sensor_id),
    bootId: Number(row.boot_id),
    firstSeenAtMs: Number(row.first_seen_at_ms),
    greatestSeq: Number(row.greatest_seq),
  }));
}

/** Digests of those of the batch's keys that are stored, by {@link keyOf}. */
export async function readStored(
  session: StoreSession,
  rows: readonly StoreRow[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = await session.query(
    `SELECT DISTINCT encode(sensor_id, 'hex') || '/' || boot_id || '/' || seq AS key, digest
     FROM envelope_seen JOIN unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS wanted (sensor_id, boot_id, seq)
       USING (sensor_id, boot_id, seq)`,
    [
      rows.map(({ message }) => bytesOf(message.sensorId)),
      rows.map(({ fields }) => fields.bootId),
      rows.map(({ fields }) => fields.seq),
    ],
  );
  return new Map(found.map(({ key, digest }) => [String(key), digest as Uint8Array]));
}

/** Moves the boots and the devices on. `rowAt` gives an accepted row by its index in the batch. */
export async function writeSensors(
  session: StoreSession,
  updates: readonly SensorUpdate[],
  rowAt: (index: number) => WritableRow | undefined,
  nowMs: number,
): Promise<void> {
  const sorted = updates.toSorted((left, right) => (left.sensorId < right.sensorId ? -1 : 1));
  const boots = sorted.flatMap(({ sensorId, boots: touched }) => touched.map((boot) => ({ sensorId, ...boot })));
  await session.query(
    `INSERT INTO sensor_boot (sensor_id, boot_id, first_seen_at, greatest_seq)
     SELECT sensor_id, boot_id, to_timestamp($4::double precision / 1000), seq
     FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS touched (sensor_id, boot_id, seq)
     ON CONFLICT (sensor_id, boot_id) DO UPDATE SET greatest_seq = greatest(sensor_boot.greatest_seq, excluded.greatest_seq)`,
    [
      boots.map(({ sensorId }) => bytesOf(sensorId)),
      boots.map(({ bootId }) => bootId),
      boots.map(({ greatestSeq }) => greatestSeq),
      nowMs,
    ],
  );
  await session.query(
    `INSERT INTO device (sensor_id, state, firmware, first_seen, last_seen)
     SELECT sensor_id, 'reporting', firmware, seen, seen
     FROM unnest($1::bytea[], $2::text[]) AS reported (sensor_id, firmware), to_timestamp($3::double precision / 1000) AS seen
     ON CONFLICT (sensor_id) DO UPDATE SET
       state = CASE device.state WHEN 'allowed' THEN excluded.state ELSE device.state END,
       firmware = coalesce(excluded.firmware, device.firmware),
       first_seen = coalesce(device.first_seen, excluded.first_seen),
       last_seen = greatest(device.last_seen, excluded.last_seen)`,
    [
      sorted.map(({ sensorId }) => bytesOf(sensorId)),
      sorted.map(({ newest }) => (newest === undefined ? null : (rowAt(newest)?.payload.fw ?? null))),
      nowMs,
    ],
  );
}

/** Writes down what the allowlist says of its sensors; what they reported stays. */
export async function writeDevices(session: StoreSession, devices: readonly StoredDevice[]): Promise<void> {
  await session.query(
    `INSERT INTO device (sensor_id, maker, public_key, state)
     SELECT sensor_id, maker, public_key, CASE WHEN revoked THEN 'revoked' ELSE 'allowed' END
     FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::boolean[]) AS listed (sensor_id, maker, public_key, revoked)
     ON CONFLICT (sensor_id) DO UPDATE SET
       maker = excluded.maker, public_key = coalesce(excluded.public_key, device.public_key),
       state = CASE WHEN excluded.state = 'allowed' AND device.last_seen IS NOT NULL THEN 'reporting' ELSE excluded.state END`,
    [
      devices.map(({ sensorId }) => bytesOf(sensorId)),
      devices.map(({ maker }) => maker),
      devices.map(({ publicKey }) => publicKey),
      devices.map(({ revoked }) => revoked),
    ],
  );
}

function bytesOf(sensorId: string): Buffer {
  return Buffer.from(sensorId, "hex");
}
