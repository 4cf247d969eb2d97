import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { transaction } from "../registry/database.ts";
import type { RevocationReason } from "../revocation/reasons.ts";
import { fleetErrors } from "./errors.ts";
import { findMadeDevice, requireMadeDevice } from "./made-devices.ts";
import { revokeGateway } from "./revoke-gateway.ts";
import { assertNotRevokedGateway } from "./standing.ts";

/** A gateway by its name. */
export interface Gateway {
  /** `gw-…`, the common name of its certificates. */
  readonly name: string;
  /** The made device that it is, or null for one whose key the deployment made and nothing is recorded of yet. */
  readonly hardwareId: string | null;
  readonly state: "active" | "revoked";
  /** Milliseconds since the Unix epoch of its enrolment, or null while it may enrol. */
  readonly enrolledAtMs: number | null;
  readonly changedAtMs: number;
}

/** The gateways. */
export interface Gateways {
  readonly list: () => readonly Gateway[];
  /** @throws GATEWAY_UNKNOWN, GATEWAY_REVOKED */
  readonly requireActive: (name: string) => Gateway;
  /** Makes a name known, without a device; one that is known stays as it is. */
  readonly ensure: (name: string) => Gateway;
  /**
   * Gives a name to a made device.
   * @throws HARDWARE_UNKNOWN, HARDWARE_REVOKED, HARDWARE_NO_GATEWAY, GATEWAY_REVOKED, GATEWAY_CONFLICT
   */
  readonly assign: (name: string, hardwareId: string) => Gateway;
  /** Lets a gateway that is enrolled enrol once more. @throws GATEWAY_UNKNOWN, GATEWAY_REVOKED */
  readonly allowAgain: (name: string) => Gateway;
  /** Revokes it for good, with certificates and tokens. @throws GATEWAY_UNKNOWN */
  readonly revoke: (name: string, reason: RevocationReason) => Gateway;
}

/** Gateways on the registry's database. */
export function createGateways(db: DatabaseSync, now: () => number): Gateways {
  const requireActive = (name: string): Gateway => {
    const gateway = requireGateway(db, name);
    assertNotRevokedGateway(db, name);
    return gateway;
  };
  return {
    requireActive,
    list: () => db.prepare("SELECT * FROM gateway ORDER BY name").all().map(gatewayOf),
    ensure: (name) =>
      transaction(db, () => {
        db.prepare("INSERT OR IGNORE INTO gateway VALUES (?, NULL, 'active', NULL, ?)").run(name, now());
        return requireGateway(db, name);
      }),
    assign: (name, hardwareId) =>
      transaction(db, () => {
        assertAssignable(db, name, hardwareId);
        if (findGateway(db, name)) requireActive(name);
        db.prepare(
          `INSERT INTO gateway VALUES (?, ?, 'active', NULL, ?)
           ON CONFLICT (name) DO UPDATE SET hardware_id = excluded.hardware_id, changed_at = excluded.changed_at`,
        ).run(name, hardwareId, now());
        return requireGateway(db, name);
      }),
    allowAgain: (name) =>
      transaction(db, () => {
        requireActive(name);
        db.prepare("UPDATE gateway SET enrolled_at = NULL, changed_at = ? WHERE name = ?").run(now(), name);
        return requireGateway(db, name);
      }),
    revoke: (name, reason) =>
      transaction(db, () => {
        if (requireGateway(db, name).state === "active") revokeGateway(db, name, reason, now());
        return requireGateway(db, name);
      }),
  };
}

/** The gateway of that name, or undefined. */
export function findGateway(db: DatabaseSync, name: string): Gateway | undefined {
  const row = db.prepare("SELECT * FROM gateway WHERE name = ?").get(name);
  return row && gatewayOf(row);
}

/** The gateway that a made device is, or undefined. */
export function gatewayOfDevice(db: DatabaseSync, hardwareId: string): Gateway | undefined {
  const row = db.prepare("SELECT * FROM gateway WHERE hardware_id = ?").get(hardwareId);
  return row && gatewayOf(row);
}

function requireGateway(db: DatabaseSync, name: string): Gateway {
  const gateway = findGateway(db, name);
  if (gateway) return gateway;
  throw fleetErrors.error("GATEWAY_UNKNOWN", `no gateway "${name}" is known`, { path: "name" });
}

function assertAssignable(db: DatabaseSync, name: string, hardwareId: string): void {
  const device = requireMadeDevice(db, hardwareId);
  const path = "hardware_id";
  if (device.state === "revoked")
    throw fleetErrors.error("HARDWARE_REVOKED", `device ${hardwareId} is revoked`, { path });
  if (device.kind !== "gateway")
    throw fleetErrors.error("HARDWARE_NO_GATEWAY", `device ${hardwareId} is a ${device.kind}`, { path });
  const holder = gatewayOfDevice(db, hardwareId);
  if (holder && holder.name !== name)
    throw fleetErrors.error("GATEWAY_CONFLICT", `device ${hardwareId} is gateway ${holder.name}`, { path });
  const present = findGateway(db, name)?.hardwareId ?? null;
  const builtIn = present !== null && findMadeDevice(db, present)?.source === "built-in";
  if (present !== null && present !== hardwareId && !builtIn)
    throw fleetErrors.error("GATEWAY_CONFLICT", `gateway ${name} is device ${present}`, { path: "name" });
}

function gatewayOf(row: Readonly<Record<string, SQLOutputValue>>): Gateway {
  return {
    name: String(row.name),
    hardwareId: row.hardware_id === null ? null : String(row.hardware_id),
    state: row.state as Gateway["state"],
    enrolledAtMs: row.enrolled_at === null ? null : Number(row.enrolled_at),
    changedAtMs: Number(row.changed_at),
  };
}
