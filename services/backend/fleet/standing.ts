import type { DatabaseSync } from "node:sqlite";
import { fleetErrors } from "./errors.ts";

/** Whether a gateway of that name is on record as revoked; part of the transaction that gives it anything. */
export function isRevokedGateway(db: DatabaseSync, name: string): boolean {
  return db.prepare("SELECT state FROM gateway WHERE name = ?").get(name)?.state === "revoked";
}

/** @throws GATEWAY_REVOKED */
export function assertNotRevokedGateway(db: DatabaseSync, name: string): void {
  if (isRevokedGateway(db, name))
    throw fleetErrors.error("GATEWAY_REVOKED", `gateway ${name} is revoked`, { path: "name" });
}
