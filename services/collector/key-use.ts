import type { ControlRoute } from "../runtime/control.ts";
import { createStoreConnection, type StoreTarget } from "./store-connection.ts";

/** Which key a sensor uses, by the newest of its stored messages. */
export interface SensorKeyUse {
  /** 9 bytes, lower-case hex. */
  readonly sensor_id: string;
  /** Key that the message was encrypted to, 8 bytes in lower-case hex; null where none is stored. */
  readonly key_id: string | null;
  /** Gateway that the message came through; null where none is stored. */
  readonly gateway: string | null;
  /** When anything was last heard of the sensor, RFC 3339; null for one that was never heard. */
  readonly last_seen: string | null;
}

/** A message that came late was made before a newer one, and says nothing of what its sensor does now. */
const NEWEST = `
  SELECT encode(device.sensor_id, 'hex') AS sensor_id, encode(newest.key_id, 'hex') AS key_id, newest.gateway, device.last_seen
  FROM device LEFT JOIN LATERAL (
    SELECT key_id, gateway FROM telemetry
    WHERE telemetry.sensor_id = device.sensor_id AND NOT late ORDER BY received_at DESC LIMIT 1
  ) AS newest ON true
  WHERE device.state <> 'revoked' ORDER BY device.sensor_id`;

/**
 * Who uses which key: every sensor that is not revoked. Asked over a connection of its own, so that no batch waits for it.
 * @throws what `pg` throws
 */
export async function readKeyUse(target: StoreTarget): Promise<readonly SensorKeyUse[]> {
  const connection = createStoreConnection(target);
  try {
    const rows = await connection.transaction((session) => session.query(NEWEST));
    return rows.map(({ sensor_id, key_id, gateway, last_seen }) => ({
      sensor_id: String(sensor_id),
      key_id: key_id === null ? null : String(key_id),
      gateway: gateway === null ? null : String(gateway),
      last_seen: last_seen instanceof Date ? last_seen.toISOString() : null,
    }));
  } finally {
    await connection.close();
  }
}

/** `GET /key-use`, for whoever rotates keys on this host. */
export function keyUseRoute(target: StoreTarget): ControlRoute {
  return { method: "GET", path: "/key-use", handler: async () => ({ sensors: await readKeyUse(target) }) };
}
