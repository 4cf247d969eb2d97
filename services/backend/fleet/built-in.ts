import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../registry/database.ts";
import type { VerifiedChain } from "../revocation/chain.ts";
import { findMadeDevice, insertMadeDevice, type MadeDeviceIdentity } from "./made-devices.ts";

/** What the deployment itself is recorded as where it made a key. */
const DEPLOYMENT = { maker: "deployment", model: "key of the deployment" } as const;

/** A made device of the configuration, with the gateway that it is. */
export type BuiltInDevice = MadeDeviceIdentity & { readonly gateway?: string | undefined };

/**
 * Records the devices that are part of the deployment; those that are on record stay as they are.
 * @throws DEVICE_RECORD_CONFLICT
 */
export function recordBuiltIn(db: DatabaseSync, devices: readonly BuiltInDevice[], nowMs: number): void {
  transaction(db, () => {
    for (const { gateway, ...device } of devices) {
      insertMadeDevice(db, device, "built-in", nowMs);
      if (gateway !== undefined) bind(db, gateway, device.hardwareId, nowMs);
    }
  });
}

/**
 * Takes the key of a gateway's certificate, which an operator records, as the key of a device that the deployment made:
 * such a gateway has no maker's record. One with a maker's record keeps that.
 */
export function recordGatewayKey(db: DatabaseSync, { leafClass, name, publicKey }: VerifiedChain, nowMs: number): void {
  if (leafClass !== "gateways") return;
  const hardwareId = createHash("sha256").update(name).digest("hex").slice(0, 18);
  transaction(db, () => {
    db.prepare("INSERT OR IGNORE INTO gateway VALUES (?, NULL, 'active', NULL, ?)").run(name, nowMs);
    const present = db.prepare("SELECT hardware_id FROM gateway WHERE name = ?").get(name)?.hardware_id ?? hardwareId;
    if (present !== hardwareId || keyIsTaken(db, publicKey, hardwareId)) return;
    if (findMadeDevice(db, hardwareId))
      db.prepare("UPDATE made_device SET public_key = ? WHERE hardware_id = ? AND state = 'made'").run(
        publicKey,
        hardwareId,
      );
    else insertMadeDevice(db, { ...DEPLOYMENT, kind: "gateway", hardwareId, publicKey }, "built-in", nowMs);
    bind(db, name, hardwareId, nowMs);
    db.prepare("UPDATE gateway SET enrolled_at = coalesce(enrolled_at, ?) WHERE name = ?").run(nowMs, name);
  });
}

function keyIsTaken(db: DatabaseSync, publicKey: string, hardwareId: string): boolean {
  return (
    db.prepare("SELECT 1 FROM made_device WHERE public_key = ? AND hardware_id <> ?").get(publicKey, hardwareId) !==
    undefined
  );
}

function bind(db: DatabaseSync, name: string, hardwareId: string, nowMs: number): void {
  db.prepare("INSERT OR IGNORE INTO gateway VALUES (?, NULL, 'active', NULL, ?)").run(name, nowMs);
  db.prepare("UPDATE gateway SET hardware_id = ? WHERE name = ? AND hardware_id IS NULL").run(hardwareId, name);
}
