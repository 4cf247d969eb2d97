import type { DatabaseSync } from "node:sqlite";
import { createAllowlist } from "../../../protocol/allowlist.ts";
import type { AllowedSensor, Audience, Revocation } from "../../../protocol/allowlist-document.ts";
import { allowlistVersion, bumpAllowlistVersion } from "../registry/allowlist-version.ts";
import { transaction } from "../registry/database.ts";
import type { SigningKey } from "./keys.ts";

/** A signed allowlist: the DSSE envelope in JSON, and the version that is in it. */
export interface SignedAllowlist {
  readonly version: number;
  readonly dsse: string;
}

/** The allowlists of every audience, signed when they are asked for. */
export interface Allowlists {
  /** The newest copy for one audience; the same bytes again as long as nothing changed. */
  readonly signed: (audience: Audience) => Promise<SignedAllowlist>;
  /** Makes a version of the same sensors with a new `issued_at`. */
  readonly renew: () => void;
  readonly version: () => number;
}

/** What {@link createAllowlists} works with. */
export interface AllowlistsOptions {
  readonly db: DatabaseSync;
  readonly key: Pick<SigningKey, "signerFor">;
  readonly now: () => number;
}

/**
 * Allowlists on the registry's database. Only their version is stored: who is on them is read in the same step, and a
 * version that a process signed before it died is never signed again, since each start begins with a renewal.
 */
export function createAllowlists({ db, key, now }: AllowlistsOptions): Allowlists {
  const cache = new Map<Audience, SignedAllowlist>();
  const version = (): number => allowlistVersion(db);
  const sign = async (audience: Audience): Promise<SignedAllowlist> => {
    const document = { audience, version: version(), issuedAtMs: now(), ...readSensors(db) };
    const signed = {
      version: document.version,
      dsse: await createAllowlist(document, key.signerFor("allowlist", audience)),
    };
    cache.set(audience, signed);
    return signed;
  };
  return {
    version,
    renew: () => transaction(db, () => bumpAllowlistVersion(db)),
    signed: async (audience) => {
      const cached = cache.get(audience);
      return cached?.version === version() ? cached : sign(audience);
    },
  };
}

interface Sensors {
  readonly sensors: readonly AllowedSensor[];
  readonly revoked: readonly Revocation[];
}

function readSensors(db: DatabaseSync): Sensors {
  const rows = db
    .prepare("SELECT sensor_id, public_key, maker, state FROM device WHERE state <> 'provisioning' ORDER BY sensor_id")
    .all()
    .map((row) => ({
      sensorId: String(row.sensor_id),
      publicKey: String(row.public_key),
      maker: String(row.maker),
      state: row.state,
    }));
  const untrusted = db.prepare("SELECT name FROM maker WHERE state = 'revoked' ORDER BY name").all();
  const makers = untrusted.map(({ name }) => String(name));
  const revoked = Map.groupBy(
    rows.filter(({ state }) => state === "revoked"),
    ({ maker }) => maker,
  );
  return {
    sensors: rows
      .filter(({ state }) => state === "active")
      .map(({ sensorId, publicKey, maker }) => ({ sensorId, publicKey, maker })),
    revoked: [
      ...[...revoked].map(([maker, sensors]) => ({ maker, sensorIds: sensors.map(({ sensorId }) => sensorId) })),
      // Beside the sensors themselves: who is of that maker and was never here is not trusted either.
      ...makers.map((maker) => ({ maker, sensorIds: "all" as const })),
    ],
  };
}
