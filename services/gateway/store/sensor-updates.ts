import type { KeyObject } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { bytesOfHex } from "../../../protocol/hex.ts";
import { verifyUpdate } from "../../../protocol/update.ts";

/** The newest signed update for each sensor. */
export interface SensorUpdates {
  /**
   * Keeps an update that is newer than the one held.
   * @throws UPDATE_MALFORMED, UPDATE_BAD_SIGNATURE, UPDATE_OTHER_SENSOR, UPDATE_ROLLBACK
   */
  readonly take: (sensorId: string, bytes: Uint8Array) => void;
  /**
   * The update to hand over with a 2.04, or undefined. It goes with each of them: an answer may be lost, and a sensor
   * takes no counter twice.
   */
  readonly newest: (sensorId: string) => Uint8Array | undefined;
}

/** The updates in an open database. */
export function createSensorUpdates(database: DatabaseSync, backendKey: KeyObject): SensorUpdates {
  const select = database.prepare("SELECT counter, bytes FROM sensor_update WHERE sensor_id = ?");
  const upsert = database.prepare(
    "INSERT INTO sensor_update (sensor_id, counter, bytes) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET counter = excluded.counter, bytes = excluded.bytes",
  );
  return {
    take(sensorId, bytes) {
      const lastCounter = Number(select.get(sensorId)?.counter ?? 0);
      const update = verifyUpdate({ bytes, backendKey, sensorId: bytesOfHex(sensorId, 9), lastCounter });
      upsert.run(sensorId, update.counter, bytes);
    },
    newest: (sensorId) => select.get(sensorId)?.bytes as Uint8Array | undefined,
  };
}
