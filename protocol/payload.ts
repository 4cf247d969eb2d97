import { isUtf8 } from "node:buffer";
import { viewOf } from "./hex.ts";
import { findTextFault } from "./payload-text.ts";

/** What a sensor measured. Unknown members are kept as they are. */
export interface Payload {
  /** Firmware version, semver, at most 64 characters. */
  readonly fw: string;
  /** °C, -100..200. */
  readonly temperature_c?: number;
  /** % relative humidity, 0..100. */
  readonly humidity_pct?: number;
  /** hPa, 100..2000. */
  readonly pressure_hpa?: number;
  /** Ω, 0..1e9. */
  readonly gas_ohm?: number;
  /** Air quality index, integer 0..500. */
  readonly aqi?: number;
  /** mV, integer 0..65535. */
  readonly battery_mv?: number;
  readonly thread?: {
    /** dBm, integer -128..0. */
    readonly rssi_dbm?: number;
    /** Link quality, integer 0..255. */
    readonly lqi?: number;
    /** RLOC16 of the parent in hex, such as `0x4c00`. */
    readonly parent?: string;
  };
  /** Acceleration in milli-g, three integers. */
  readonly motion?: readonly number[];
  readonly ota?: {
    readonly campaign: string;
    readonly state: string;
    readonly version: string;
    readonly reason?: string;
  };
  readonly [member: string]: unknown;
}

/** A payload with its text, or why it is `bad-payload`. */
export type ParsedPayload =
  | { readonly ok: true; readonly text: string; readonly payload: Payload }
  | { readonly ok: false; readonly reason: string };

type Rule = (value: unknown) => boolean;
type Members = Readonly<Record<string, Rule>>;

/** The expression that semver.org suggests for Semantic Versioning 2.0.0. */
const SEMVER =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;
const RLOC16 = /^(?:0x)?[0-9a-fA-F]{1,4}$/;

const isText: Rule = (value) => typeof value === "string";
const isInteger: Rule = (value) => Number.isSafeInteger(value);
const number =
  (min: number, max: number): Rule =>
  (value) =>
    typeof value === "number" && value >= min && value <= max;
const integer =
  (min: number, max: number): Rule =>
  (value) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
const object =
  (required: Members, optional: Members): Rule =>
  (value) =>
    isObject(value) && faultyMember(value, required, optional) === undefined;

const REQUIRED: Members = { fw: (value) => typeof value === "string" && value.length <= 64 && SEMVER.test(value) };
const OPTIONAL: Members = {
  temperature_c: number(-100, 200),
  humidity_pct: number(0, 100),
  pressure_hpa: number(100, 2000),
  gas_ohm: number(0, 1e9),
  aqi: integer(0, 500),
  battery_mv: integer(0, 65_535),
  thread: object(
    {},
    {
      rssi_dbm: integer(-128, 0),
      lqi: integer(0, 255),
      parent: (value) => typeof value === "string" && RLOC16.test(value),
    },
  ),
  motion: (value) => Array.isArray(value) && value.length === 3 && value.every(isInteger),
  ota: object({ campaign: isText, state: isText, version: isText }, { reason: isText }),
};

/**
 * Reads a payload: one JSON object (RFC 8259) with the members above. The reason names the member that is wrong and
 * never its value, since it goes to logs.
 */
export function parsePayload(plaintext: Uint8Array): ParsedPayload {
  if (!isUtf8(plaintext)) return bad("not UTF-8");
  const text = viewOf(plaintext).toString("utf8");
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    return bad("not JSON");
  }
  if (!isObject(payload)) return bad("not one JSON object");
  const textFault = findTextFault(text);
  if (textFault !== undefined) return bad(textFault);
  const member = faultyMember(payload, REQUIRED, OPTIONAL);
  if (member !== undefined) return bad(`"${member}" is missing, of another type or out of range`);
  return { ok: true, text, payload: payload as unknown as Payload };
}

function faultyMember(
  value: Readonly<Record<string, unknown>>,
  required: Members,
  optional: Members,
): string | undefined {
  for (const name in required) {
    if (!required[name]?.(value[name])) return name;
  }
  for (const name in optional) {
    const member = value[name];
    if (member !== undefined && !optional[name]?.(member)) return name;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bad(reason: string): ParsedPayload {
  return { ok: false, reason };
}
