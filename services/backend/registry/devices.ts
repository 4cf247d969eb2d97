import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { backendErrors } from "../errors.ts";
import { fleetErrors } from "../fleet/errors.ts";
import { bumpAllowlistVersion } from "./allowlist-version.ts";
import { transaction } from "./database.ts";

/** Where a sensor is in its life; see docs/spec/provisioning.md. */
export type DeviceState = "provisioning" | "active" | "revoked";

/** Who a sensor says that it is. */
export interface DeviceIdentity {
  /** 9 bytes in lower-case hex. */
  readonly sensorId: string;
  /** Uncompressed P-256 point in lower-case hex. */
  readonly publicKey: string;
  readonly maker: string;
  readonly model: string;
}

/** One sensor of the registry. */
export interface Device extends DeviceIdentity {
  readonly state: DeviceState;
  /** Counter of the newest update that was signed for it. */
  readonly updateCounter: number;
  /** Milliseconds since the Unix epoch. */
  readonly changedAtMs: number;
}

/** The device registry. */
export interface Devices {
  readonly list: () => readonly Device[];
  /** How many sensors are in each state. */
  readonly counts: () => Readonly<Record<DeviceState, number>>;
  /**
   * Makes a sensor active by an operator's word, without provisioning; the same one again changes nothing.
   * @throws DEVICE_REVOKED, DEVICE_CONFLICT
   */
  readonly register: (identity: DeviceIdentity) => Device;
  /** Revokes a sensor, which is final. @throws DEVICE_UNKNOWN */
  readonly revoke: (sensorId: string) => Device;
}

/** The device registry on its database. */
export function createDevices(db: DatabaseSync, now: () => number): Devices {
  const get = (sensorId: string): Device => {
    const device = findDevice(db, sensorId);
    if (device) return device;
    throw backendErrors.error("DEVICE_UNKNOWN", `no sensor ${sensorId} is registered`, { path: "sensor_id" });
  };
  return {
    counts: () => {
      const rows = db.prepare("SELECT state, count(*) AS n FROM device GROUP BY state").all();
      const counted = Object.fromEntries(rows.map(({ state, n }) => [state, Number(n)]));
      return { provisioning: 0, active: 0, revoked: 0, ...counted };
    },
    list: () => db.prepare("SELECT * FROM device ORDER BY sensor_id").all().map(deviceOf),
    register: (identity) =>
      transaction(db, () => {
        const known = findDevice(db, identity.sensorId);
        if (known?.state === "active" && known.publicKey === identity.publicKey) return known;
        putDevice(db, identity, "active", now());
        return get(identity.sensorId);
      }),
    revoke: (sensorId) =>
      transaction(db, () => {
        if (get(sensorId).state !== "revoked") setState(db, sensorId, "revoked", now());
        return get(sensorId);
      }),
  };
}

/** The sensor of that id; part of a transaction where the answer decides a change. */
export function findDevice(db: DatabaseSync, sensorId: string): Device | undefined {
  const row = db.prepare("SELECT * FROM device WHERE sensor_id = ?").get(sensorId);
  return row && deviceOf(row);
}

/**
 * Writes a sensor that is new, or still in provisioning; part of a transaction.
 * @throws DEVICE_REVOKED, DEVICE_CONFLICT, MAKER_REVOKED
 */
export function putDevice(db: DatabaseSync, identity: DeviceIdentity, state: DeviceState, nowMs: number): void {
  const { sensorId, publicKey, maker, model } = identity;
  if (db.prepare("SELECT 1 FROM maker WHERE name = ? AND state = 'revoked'").get(maker))
    throw fleetErrors.error("MAKER_REVOKED", `maker "${maker}" is revoked`, { path: "maker" });
  const known = findDevice(db, sensorId);
  if (known?.state === "revoked")
    throw backendErrors.error("DEVICE_REVOKED", `sensor ${sensorId} is revoked`, { path: "sensor_id" });
  if (known?.state === "active")
    throw backendErrors.error("DEVICE_CONFLICT", `sensor ${sensorId} is active with another key`, {
      path: "sensor_id",
    });
  const holder = db
    .prepare("SELECT sensor_id FROM device WHERE public_key = ? AND sensor_id <> ?")
    .get(publicKey, sensorId);
  if (holder)
    throw backendErrors.error("DEVICE_CONFLICT", `the public key is that of sensor ${holder.sensor_id}`, {
      path: "public_key",
    });
  db.prepare(
    `INSERT INTO device (sensor_id, public_key, maker, model, state, changed_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (sensor_id) DO UPDATE SET public_key = excluded.public_key, maker = excluded.maker, model = excluded.model,
       state = excluded.state, changed_at = excluded.changed_at`,
  ).run(sensorId, publicKey, maker, model, state, nowMs);
  if (state === "active") bumpAllowlistVersion(db);
}

/** Moves a sensor to another state, and the allowlist to another version; part of a transaction. */
export function setState(db: DatabaseSync, sensorId: string, state: DeviceState, nowMs: number): void {
  db.prepare("UPDATE device SET state = ?, changed_at = ? WHERE sensor_id = ?").run(state, nowMs, sensorId);
  bumpAllowlistVersion(db);
}

function deviceOf(row: Readonly<Record<string, SQLOutputValue>>): Device {
  return {
    sensorId: String(row.sensor_id),
    publicKey: String(row.public_key),
    maker: String(row.maker),
    model: String(row.model),
    state: row.state as DeviceState,
    updateCounter: Number(row.update_counter),
    changedAtMs: Number(row.changed_at),
  };
}
