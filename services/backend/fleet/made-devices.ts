import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { transaction } from "../registry/database.ts";
import { setState } from "../registry/devices.ts";
import { fleetErrors } from "./errors.ts";
import { revokeGateway } from "./revoke-gateway.ts";

/** What a maker says of one device that left its works. */
export interface MadeDeviceIdentity {
  /** Lower-case hex, 4 to 32 bytes; of a sensor its sensor id. */
  readonly hardwareId: string;
  readonly kind: "gateway" | "sensor";
  readonly maker: string;
  readonly model: string;
  /** Public half of its root-of-trust key: uncompressed P-256 point in lower-case hex. */
  readonly publicKey: string;
}

/** A device that is on record. */
export interface MadeDevice extends MadeDeviceIdentity {
  /** Part of the deployment itself, or from a maker's signed record file. */
  readonly source: "built-in" | "record";
  readonly state: "made" | "revoked";
  /** Milliseconds since the Unix epoch. */
  readonly changedAtMs: number;
}

/** The records of made devices. */
export interface MadeDevices {
  readonly list: () => readonly MadeDevice[];
  /**
   * Revokes a device, for good, with the gateway that it is, or the sensor of the same id.
   * @throws HARDWARE_UNKNOWN
   */
  readonly revoke: (hardwareId: string) => MadeDevice;
}

/** Made devices on the registry's database. */
export function createMadeDevices(db: DatabaseSync, now: () => number): MadeDevices {
  return {
    list: () => db.prepare("SELECT * FROM made_device ORDER BY hardware_id").all().map(madeDeviceOf),
    revoke: (hardwareId) =>
      transaction(db, () => {
        if (requireMadeDevice(db, hardwareId).state !== "revoked") revokeMadeDevice(db, hardwareId, now());
        return requireMadeDevice(db, hardwareId);
      }),
  };
}

/**
 * Puts a device on record; the same one again changes nothing. Part of a transaction.
 * @throws DEVICE_RECORD_CONFLICT
 */
export function insertMadeDevice(
  db: DatabaseSync,
  device: MadeDeviceIdentity,
  source: MadeDevice["source"],
  nowMs: number,
): void {
  const { hardwareId, kind, maker, model, publicKey } = device;
  const known = findMadeDevice(db, hardwareId);
  if (known) {
    if ([kind, maker, model, publicKey].join() === [known.kind, known.maker, known.model, known.publicKey].join())
      return;
    throw fleetErrors.error("DEVICE_RECORD_CONFLICT", `device ${hardwareId} is on record with something else`, {
      path: hardwareId,
    });
  }
  const holder = findByKey(db, publicKey);
  if (holder)
    throw fleetErrors.error(
      "DEVICE_RECORD_CONFLICT",
      `the key of device ${hardwareId} is that of ${holder.hardwareId}`,
      { path: hardwareId },
    );
  db.prepare("INSERT INTO made_device VALUES (?, ?, ?, ?, ?, ?, 'made', ?)").run(
    hardwareId,
    kind,
    maker,
    model,
    publicKey,
    source,
    nowMs,
  );
}

/** The device of that hardware id, or undefined. */
export function findMadeDevice(db: DatabaseSync, hardwareId: string): MadeDevice | undefined {
  const row = db.prepare("SELECT * FROM made_device WHERE hardware_id = ?").get(hardwareId);
  return row && madeDeviceOf(row);
}

/** The device whose root-of-trust key it is, or undefined. */
export function findByKey(db: DatabaseSync, publicKey: string): MadeDevice | undefined {
  const row = db.prepare("SELECT * FROM made_device WHERE public_key = ?").get(publicKey);
  return row && madeDeviceOf(row);
}

/** @throws HARDWARE_UNKNOWN */
export function requireMadeDevice(db: DatabaseSync, hardwareId: string): MadeDevice {
  const device = findMadeDevice(db, hardwareId);
  if (device) return device;
  throw fleetErrors.error("HARDWARE_UNKNOWN", `no made device ${hardwareId} is on record`, { path: "hardware_id" });
}

/** Revokes a device and what stands on it; part of a transaction. */
export function revokeMadeDevice(db: DatabaseSync, hardwareId: string, nowMs: number): void {
  db.prepare("UPDATE made_device SET state = 'revoked', changed_at = ? WHERE hardware_id = ?").run(nowMs, hardwareId);
  const gateway = db.prepare("SELECT name FROM gateway WHERE hardware_id = ?").get(hardwareId)?.name;
  if (gateway !== undefined) revokeGateway(db, String(gateway), "cessationOfOperation", nowMs);
  const sensor = db.prepare("SELECT state FROM device WHERE sensor_id = ?").get(hardwareId)?.state;
  if (sensor !== undefined && sensor !== "revoked") setState(db, hardwareId, "revoked", nowMs);
}

function madeDeviceOf(row: Readonly<Record<string, SQLOutputValue>>): MadeDevice {
  return {
    hardwareId: String(row.hardware_id),
    kind: row.kind as MadeDevice["kind"],
    maker: String(row.maker),
    model: String(row.model),
    publicKey: String(row.public_key),
    source: row.source as MadeDevice["source"],
    state: row.state as MadeDevice["state"],
    changedAtMs: Number(row.changed_at),
  };
}
