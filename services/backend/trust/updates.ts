import type { DatabaseSync } from "node:sqlite";
import { bytesOfHex } from "../../../protocol/hex.ts";
import { createUpdate } from "../../../protocol/update.ts";
import { backendErrors } from "../errors.ts";
import { transaction } from "../registry/database.ts";
import { findDevice } from "../registry/devices.ts";
import type { Recipients } from "../registry/recipients.ts";
import type { SigningKey } from "./keys.ts";

/** The newest signed update of one sensor. */
export interface StoredUpdate {
  readonly sensorId: string;
  readonly bytes: Uint8Array;
}

/** An update that was signed just now. */
export interface IssuedUpdate extends StoredUpdate {
  readonly counter: number;
}

/** Signed updates for sensors. */
export interface Updates {
  /** Signs the recipients' present keys for one sensor and stores that. @throws DEVICE_UNKNOWN, DEVICE_NOT_ACTIVE, RECIPIENT_NONE */
  readonly issue: (sensorId: string) => Promise<IssuedUpdate>;
  /** The newest update of every sensor that is active and has one. */
  readonly newest: () => readonly StoredUpdate[];
}

/** What {@link createUpdates} works with. */
export interface UpdatesOptions {
  readonly db: DatabaseSync;
  readonly key: Pick<SigningKey, "signerFor">;
  readonly recipients: Pick<Recipients, "require">;
  readonly now: () => number;
}

/** Updates on the registry's database. */
export function createUpdates({ db, key, recipients, now }: UpdatesOptions): Updates {
  return {
    issue: async (sensorId) => {
      const keys = recipients.require().map(({ key_id, public_key, not_before }) => ({
        keyId: bytesOfHex(key_id),
        publicKey: bytesOfHex(public_key),
        notBeforeMs: Date.parse(not_before),
      }));
      // The counter is taken for good before anything is signed with it, so that no two updates share one.
      const counter = transaction(db, () => takeCounter(db, sensorId));
      const update = { sensorId: bytesOfHex(sensorId), counter, keys, issuedAtMs: now() };
      const bytes = await createUpdate(update, key.signerFor("sensor-update", sensorId));
      transaction(db, () => storeUpdate(db, sensorId, counter, bytes));
      return { sensorId, counter, bytes };
    },
    newest: () =>
      db
        .prepare("SELECT sensor_id, bytes FROM sensor_update JOIN device USING (sensor_id) WHERE state = 'active'")
        .all()
        .map((row) => ({ sensorId: String(row.sensor_id), bytes: row.bytes as Uint8Array })),
  };
}

function takeCounter(db: DatabaseSync, sensorId: string): number {
  const device = findDevice(db, sensorId);
  if (!device)
    throw backendErrors.error("DEVICE_UNKNOWN", `no sensor ${sensorId} is registered`, { path: "sensor_id" });
  if (device.state !== "active")
    throw backendErrors.error("DEVICE_NOT_ACTIVE", `sensor ${sensorId} is ${device.state}`, { path: "sensor_id" });
  db.prepare("UPDATE device SET update_counter = update_counter + 1 WHERE sensor_id = ?").run(sensorId);
  return device.updateCounter + 1;
}

/** Of two that were signed at once, the one with the greater counter stays. */
function storeUpdate(db: DatabaseSync, sensorId: string, counter: number, bytes: Uint8Array): void {
  if (findDevice(db, sensorId)?.updateCounter !== counter) return;
  db.prepare("INSERT OR REPLACE INTO sensor_update (sensor_id, bytes) VALUES (?, ?)").run(sensorId, bytes);
}
