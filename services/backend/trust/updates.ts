import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { bytesOfHex, hexOf } from "../../../protocol/hex.ts";
import { createUpdate, type RecipientPublicKey, readUpdate } from "../../../protocol/update.ts";
import { backendErrors } from "../errors.ts";
import { transaction } from "../registry/database.ts";
import { findDevice } from "../registry/devices.ts";
import type { Recipient, Recipients } from "../registry/recipients.ts";
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

/** Updates that were due and were signed just now. */
export interface IssuedDue {
  readonly issued: readonly IssuedUpdate[];
  /** How many sensors wait for theirs still. */
  readonly remaining: number;
}

/** Signed updates for sensors. */
export interface Updates {
  /** Signs the recipients' present keys for one sensor and stores that. @throws DEVICE_UNKNOWN, DEVICE_NOT_ACTIVE, RECIPIENT_NONE */
  readonly issue: (sensorId: string) => Promise<IssuedUpdate>;
  /**
   * Signs one for active sensors whose newest has not the recipients' present keys, up to a number of them; done again, it goes on.
   * @throws RECIPIENT_NONE
   */
  readonly issueDue: (atMost: number) => Promise<IssuedDue>;
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
  const issue = async (sensorId: string): Promise<IssuedUpdate> => {
    const keys = keysOf(recipients.require());
    // The counter is taken for good before anything is signed with it, so that no two updates share one.
    const counter = transaction(db, () => takeCounter(db, sensorId));
    const update = { sensorId: bytesOfHex(sensorId), counter, keys, issuedAtMs: now() };
    const bytes = await createUpdate(update, key.signerFor("sensor-update", sensorId));
    transaction(db, () => storeUpdate(db, sensorId, counter, bytes));
    return { sensorId, counter, bytes };
  };
  return {
    issue,
    issueDue: async (atMost) => {
      const present = keysOf(recipients.require());
      const due = active(db).filter((sensor) => !carries(sensor, present));
      const issued: IssuedUpdate[] = [];
      for (const { sensorId } of due.slice(0, atMost)) {
        // Revoked meanwhile: there is nobody to tell.
        if (findDevice(db, sensorId)?.state === "active") issued.push(await issue(sensorId));
      }
      return { issued, remaining: Math.max(0, due.length - atMost) };
    },
    newest: () =>
      db
        .prepare("SELECT sensor_id, bytes FROM sensor_update JOIN device USING (sensor_id) WHERE state = 'active'")
        .all()
        .map((row) => ({ sensorId: String(row.sensor_id), bytes: row.bytes as Uint8Array })),
  };
}

function keysOf(recipients: readonly Recipient[]): readonly RecipientPublicKey[] {
  return recipients.map(({ key_id, public_key, not_before }) => ({
    keyId: bytesOfHex(key_id),
    publicKey: bytesOfHex(public_key),
    notBeforeMs: Date.parse(not_before),
  }));
}

interface ActiveSensor {
  readonly sensorId: string;
  /** Its newest update, where it has one. */
  readonly bytes: Uint8Array | null;
}

function active(db: DatabaseSync): readonly ActiveSensor[] {
  return db
    .prepare("SELECT sensor_id, bytes FROM device LEFT JOIN sensor_update USING (sensor_id) WHERE state = 'active'")
    .all()
    .map((row) => ({ sensorId: String(row.sensor_id), bytes: row.bytes as Uint8Array | null }));
}

/** Whether the newest update of a sensor tells it these keys, by the bytes that this backend keeps. */
function carries({ bytes }: ActiveSensor, keys: readonly RecipientPublicKey[]): boolean {
  return bytes !== null && isDeepStrictEqual(plain(readUpdate(bytes).keys), plain(keys));
}

function plain(keys: readonly RecipientPublicKey[]): readonly (readonly [string, number])[] {
  return keys.map(({ keyId, notBeforeMs }) => [hexOf(keyId), notBeforeMs]);
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
