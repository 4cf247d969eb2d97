import { stableJson } from "../shared/stable-json.ts";
import { protocolErrors } from "./errors.ts";
import { isHex } from "./hex.ts";

const SCHEMA = "trustkern.allowlist/1";
const AUDIENCE = /^(?:collector|gateway\/gw-[a-z0-9-]{1,60})$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;

/** Whom an allowlist is for. */
export type Audience = "collector" | `gateway/${string}`;

/** One sensor of an allowlist. */
export interface AllowedSensor {
  /** 9 bytes in lower-case hex. */
  readonly sensorId: string;
  /** Uncompressed P-256 point in lower-case hex. */
  readonly publicKey: string;
  readonly maker: string;
}

/** Sensors of one maker that are no longer trusted. */
export interface Revocation {
  readonly maker: string;
  /** Sensor ids in lower-case hex, or the maker's every sensor. */
  readonly sensorIds: readonly string[] | "all";
}

/** What an allowlist says, before it is signed. */
export interface AllowlistDocument {
  readonly audience: Audience;
  /** Grows with every change, from 1. */
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly issuedAtMs: number;
  readonly sensors: readonly AllowedSensor[];
  readonly revoked: readonly Revocation[];
}

/** The JSON of an allowlist, members in stable order. */
export function renderAllowlist({ audience, version, issuedAtMs, sensors, revoked }: AllowlistDocument): string {
  return stableJson({
    schema: SCHEMA,
    audience,
    version,
    issued_at: new Date(issuedAtMs).toISOString(),
    sensors: sensors.map(({ sensorId, publicKey, maker }) => ({ sensor_id: sensorId, public_key: publicKey, maker })),
    revoked: revoked.map(({ maker, sensorIds }) => ({ maker, sensor_ids: sensorIds })),
  });
}

/**
 * Reads the JSON of an allowlist. A member too many is refused: the schema's number changes with its members.
 * @throws ALLOWLIST_MALFORMED
 */
export function parseAllowlist(json: string): AllowlistDocument {
  const document = members(parseJson(json), "", ["schema", "audience", "version", "issued_at", "sensors", "revoked"]);
  const { audience, version } = document;
  if (document.schema !== SCHEMA) throw malformed("schema", `"${SCHEMA}"`);
  if (typeof audience !== "string" || !AUDIENCE.test(audience))
    throw malformed("audience", "collector or gateway/<name>");
  if (!Number.isSafeInteger(version) || Number(version) < 1) throw malformed("version", "an integer from 1");
  const sensors = list(document.sensors, "sensors").map(parseSensor);
  if (new Set(sensors.map(({ sensorId }) => sensorId)).size !== sensors.length)
    throw malformed("sensors", "each sensor once");
  return {
    audience: audience as Audience,
    version: Number(version),
    issuedAtMs: parseTime(document.issued_at),
    sensors,
    revoked: list(document.revoked, "revoked").map(parseRevocation),
  };
}

function parseSensor(value: unknown, index: number): AllowedSensor {
  const path = `sensors[${index}]`;
  const {
    sensor_id: sensorId,
    public_key: publicKey,
    maker,
  } = members(value, path, ["sensor_id", "public_key", "maker"]);
  if (!isHex(sensorId, 9)) throw malformed(`${path}.sensor_id`, "9 bytes in lower-case hex");
  if (!isHex(publicKey, 65)) throw malformed(`${path}.public_key`, "65 bytes in lower-case hex");
  if (typeof maker !== "string") throw malformed(`${path}.maker`, "a string");
  return { sensorId, publicKey, maker };
}

function parseRevocation(value: unknown, index: number): Revocation {
  const path = `revoked[${index}]`;
  const { maker, sensor_ids: sensorIds } = members(value, path, ["maker", "sensor_ids"]);
  if (typeof maker !== "string") throw malformed(`${path}.maker`, "a string");
  if (sensorIds === "all") return { maker, sensorIds };
  const ids = list(sensorIds, `${path}.sensor_ids`);
  if (!ids.every((id) => isHex(id, 9))) throw malformed(`${path}.sensor_ids`, '"all", or sensor ids in lower-case hex');
  return { maker, sensorIds: ids };
}

function parseTime(value: unknown): number {
  const time = typeof value === "string" && RFC3339.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw malformed("issued_at", "a time of RFC 3339 in UTC");
  return time;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw protocolErrors.error("ALLOWLIST_MALFORMED", "not JSON", { cause });
  }
}

function members(value: unknown, path: string, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(path, "an object");
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw malformed(path === "" ? unknown : `${path}.${unknown}`, `only ${names.join(", ")}`);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(path, "an array");
  return value;
}

function malformed(path: string, accepted: string) {
  return protocolErrors.error("ALLOWLIST_MALFORMED", `"${path}" must be ${accepted}`, { path });
}
