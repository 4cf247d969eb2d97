import type { SecurityEvent } from "../../shared/security-event.ts";
import type { StoreSession } from "./store-connection.ts";
import type { RejectRow } from "./store-types.ts";

/** Rows that one statement may take out of a full quarantine. */
const TRIM_ROWS = 5_000;

/** Puts envelopes into quarantine, each digest once, and takes the oldest out until all fit in `maxBytes`. */
export async function writeQuarantine(
  session: StoreSession,
  rejects: readonly RejectRow[],
  maxBytes: number,
): Promise<void> {
  const [total] = await session.query(
    `WITH incoming AS (
       INSERT INTO quarantine (received_at, verdict, gateway, sensor_id, digest, size, bytes)
       SELECT to_timestamp(received_at_ms / 1000), verdict, gateway, sensor_id, digest, length(bytes), bytes
       FROM unnest($1::double precision[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[])
         AS rejected (received_at_ms, verdict, gateway, sensor_id, digest, bytes)
       ON CONFLICT (digest) DO NOTHING RETURNING size)
     UPDATE store_total SET
       quarantined = quarantined + (SELECT count(*) FROM incoming),
       quarantine_bytes = quarantine_bytes + (SELECT coalesce(sum(size), 0) FROM incoming)
     RETURNING quarantine_bytes`,
    [
      rejects.map(({ message }) => message.receivedAtMs),
      rejects.map(({ verdict }) => verdict),
      rejects.map(({ message }) => message.gateway),
      rejects.map(({ message }) => Buffer.from(message.sensorId, "hex")),
      rejects.map(({ digest }) => digest),
      rejects.map(({ message }) => message.bytes),
    ],
  );
  let bytes = Number(total?.quarantine_bytes);
  while (bytes > maxBytes) bytes = await trim(session, bytes - maxBytes);
}

/** Takes the oldest rows out, as many as it needs to free `excess` bytes; gives the bytes that are left. */
async function trim(session: StoreSession, excess: number): Promise<number> {
  const [total] = await session.query(
    `WITH oldest AS (
       SELECT id, size, sum(size) OVER (ORDER BY id) AS freed
       FROM (SELECT id, size FROM quarantine ORDER BY id LIMIT ${TRIM_ROWS}) AS first),
     gone AS (
       DELETE FROM quarantine USING oldest
       WHERE quarantine.id = oldest.id AND oldest.freed - oldest.size < $1 RETURNING oldest.size)
     UPDATE store_total SET quarantine_bytes =
       CASE WHEN EXISTS (SELECT FROM gone) THEN quarantine_bytes - (SELECT sum(size) FROM gone) ELSE 0 END
     RETURNING quarantine_bytes`,
    [excess],
  );
  return Number(total?.quarantine_bytes);
}

/** Writes security events down. */
export async function writeEvents(session: StoreSession, events: readonly SecurityEvent[]): Promise<void> {
  await session.query(
    `INSERT INTO security_event (time, kind, tenant, actor, source_address, object, reason, count, correlation_id)
     SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])`,
    [
      events.map(({ time }) => time),
      events.map(({ kind }) => kind),
      events.map(({ tenant }) => tenant),
      events.map(({ actor }) => storable(actor)),
      events.map(({ sourceAddress }) => sourceAddress),
      events.map(({ object }) => storable(object)),
      events.map(({ reason }) => storable(reason)),
      events.map(({ count }) => count),
      events.map(({ correlationId }) => correlationId),
    ],
  );
}

/** Postgres' text takes any character but one. */
function storable(text: string): string {
  return text.replaceAll("\0", "\ufffd");
}
