import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { bumpAllowlistVersion } from "../registry/allowlist-version.ts";
import { transaction } from "../registry/database.ts";
import { fleetErrors } from "./errors.ts";
import { revokeMadeDevice } from "./made-devices.ts";

/** Who makes devices, and the key that signs for them. */
export interface Maker {
  readonly name: string;
  /** Uncompressed P-256 point in lower-case hex; null for a maker that was revoked without ever being registered. */
  readonly publicKey: string | null;
  /** Certificate of its authority for device identities, PEM, or null. */
  readonly certificatePem: string | null;
  readonly state: "trusted" | "revoked";
  /** Milliseconds since the Unix epoch. */
  readonly changedAtMs: number;
}

/** The makers that the backend knows. */
export interface Makers {
  readonly list: () => readonly Maker[];
  /** Registers a maker, or replaces its key. @throws MAKER_REVOKED */
  readonly put: (maker: Pick<Maker, "name" | "certificatePem"> & { readonly publicKey: string }) => Maker;
  /**
   * Revokes a maker with every device that it made, for good: its sensors leave the allowlists, which then name the
   * maker as a whole; gateways of its make lose certificates and tokens.
   * @throws MAKER_UNKNOWN when it is neither registered nor any sensor's maker
   */
  readonly revoke: (name: string) => Maker;
}

/** Makers on the registry's database. */
export function createMakers(db: DatabaseSync, now: () => number): Makers {
  return {
    list: () => db.prepare("SELECT * FROM maker ORDER BY name").all().map(makerOf),
    put: ({ name, publicKey, certificatePem }) =>
      transaction(db, () => {
        assertMakerTrusted(db, name);
        db.prepare("INSERT OR REPLACE INTO maker VALUES (?, ?, ?, 'trusted', ?)").run(
          name,
          publicKey,
          certificatePem,
          now(),
        );
        return requireMaker(db, name);
      }),
    revoke: (name) => transaction(db, () => revokeMaker(db, name, now())),
  };
}

/** The maker of that name, or undefined. */
export function findMaker(db: DatabaseSync, name: string): Maker | undefined {
  const row = db.prepare("SELECT * FROM maker WHERE name = ?").get(name);
  return row && makerOf(row);
}

/** @throws MAKER_UNKNOWN */
export function requireMaker(db: DatabaseSync, name: string): Maker {
  const maker = findMaker(db, name);
  if (maker) return maker;
  throw fleetErrors.error("MAKER_UNKNOWN", `no maker "${name}" is registered`, { path: "maker" });
}

/** Lets a maker pass that is not revoked, known or not. @throws MAKER_REVOKED */
export function assertMakerTrusted(db: DatabaseSync, name: string): void {
  if (findMaker(db, name)?.state !== "revoked") return;
  throw fleetErrors.error("MAKER_REVOKED", `maker "${name}" is revoked`, { path: "maker" });
}

function revokeMaker(db: DatabaseSync, name: string, nowMs: number): Maker {
  const known = findMaker(db, name);
  if (known?.state === "revoked") return known;
  const sensors = Number(db.prepare("SELECT count(*) AS n FROM device WHERE maker = ?").get(name)?.n);
  if (!known && sensors === 0) requireMaker(db, name);
  db.prepare(
    "INSERT INTO maker (name, state, changed_at) VALUES (?, 'revoked', ?) ON CONFLICT (name) DO UPDATE SET state = 'revoked', changed_at = excluded.changed_at",
  ).run(name, nowMs);
  const made = db.prepare("SELECT hardware_id FROM made_device WHERE maker = ? AND state = 'made'").all(name);
  for (const { hardware_id } of made) revokeMadeDevice(db, String(hardware_id), nowMs);
  db.prepare("UPDATE device SET state = 'revoked', changed_at = ? WHERE maker = ? AND state <> 'revoked'").run(
    nowMs,
    name,
  );
  bumpAllowlistVersion(db);
  return requireMaker(db, name);
}

function makerOf(row: Readonly<Record<string, SQLOutputValue>>): Maker {
  return {
    name: String(row.name),
    publicKey: row.public_key === null ? null : String(row.public_key),
    certificatePem: row.certificate_pem === null ? null : String(row.certificate_pem),
    state: row.state as Maker["state"],
    changedAtMs: Number(row.changed_at),
  };
}
