import type { KeyObject } from "node:crypto";
import { messageOf } from "../shared/errors.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { protocolErrors } from "./errors.ts";
import { viewOf } from "./hex.ts";
import { keyIdOf } from "./hpke.ts";
import { type Signer, verifyP256 } from "./signature.ts";

/** Largest update in bytes: one CoAP block, so that it fits the answer to any message. */
export const UPDATE_MAX_BYTES = 1024;

/** Most recipient keys in one update. */
export const UPDATE_MAX_KEYS = 16;

/** A recipient key that a sensor shall seal to. */
export interface RecipientPublicKey {
  /** First 8 bytes of SHA-256 of the public key. */
  readonly keyId: Uint8Array;
  /** Raw X25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Milliseconds since the Unix epoch from which on the sensor uses it. */
  readonly notBeforeMs: number;
}

/** A signed message of the backend to one sensor, handed over by its gateway. */
export interface SensorUpdate {
  /** 9 bytes. */
  readonly sensorId: Uint8Array;
  /** Grows with every update to this sensor, 1..2^53-1. */
  readonly counter: number;
  /** The whole set that replaces the sensor's own, 1..16. */
  readonly keys: readonly RecipientPublicKey[];
  /** Milliseconds since the Unix epoch. */
  readonly issuedAtMs: number;
}

const DOMAIN = Buffer.from("trustkern/update/v1\0", "ascii");
const VERSION = 1;
const SIGNATURE_KEY = 9;

/**
 * Signs an update, and gives its bytes.
 * @throws UPDATE_MALFORMED for a value that {@link verifyUpdate} would not take
 */
export async function createUpdate(update: SensorUpdate, signer: Signer): Promise<Uint8Array> {
  const fields = fieldsOf(update);
  parseFields(fields);
  const signature = await signer(signedBytes(fields));
  return encodeCbor(new Map([...fields, [SIGNATURE_KEY, signature]]));
}

/** What the receiver of an update expects. */
export interface UpdateExpectation {
  readonly bytes: Uint8Array;
  readonly backendKey: KeyObject;
  /** The receiver's own id, 9 bytes. */
  readonly sensorId: Uint8Array;
  /** Counter of the last update taken, 0 for none. */
  readonly lastCounter: number;
}

/**
 * Verifies an update as its sensor does, and as a gateway that keeps the newest.
 * @throws UPDATE_MALFORMED, UPDATE_BAD_SIGNATURE, UPDATE_OTHER_SENSOR, UPDATE_ROLLBACK
 */
export function verifyUpdate({ bytes, backendKey, sensorId, lastCounter }: UpdateExpectation): SensorUpdate {
  const { fields, signature, update } = splitUpdate(bytes);
  if (!verifyP256(backendKey, signedBytes(fields), signature)) {
    throw protocolErrors.error("UPDATE_BAD_SIGNATURE", "the signature is not the backend's");
  }
  if (!viewOf(update.sensorId).equals(sensorId)) {
    throw protocolErrors.error(
      "UPDATE_OTHER_SENSOR",
      `the update is for sensor ${viewOf(update.sensorId).toString("hex")}`,
    );
  }
  if (update.counter <= lastCounter) {
    throw protocolErrors.error("UPDATE_ROLLBACK", `counter ${update.counter} is not greater than ${lastCounter}`);
  }
  return update;
}

/**
 * What an update says, its signature unchecked: for the backend, of what it has signed and kept itself.
 * @throws UPDATE_MALFORMED
 */
export function readUpdate(bytes: Uint8Array): SensorUpdate {
  return splitUpdate(bytes).update;
}

function splitUpdate(bytes: Uint8Array) {
  const fields = decodeFields(bytes);
  const signature = fields.get(SIGNATURE_KEY);
  fields.delete(SIGNATURE_KEY);
  if (!(signature instanceof Uint8Array)) throw malformed("signature", "64 bytes");
  return { fields, signature, update: parseFields(fields) };
}

type Fields = ReadonlyMap<unknown, unknown>;

function fieldsOf({ sensorId, counter, keys, issuedAtMs }: SensorUpdate): Map<unknown, unknown> {
  const entries = keys.map(({ keyId, publicKey, notBeforeMs }) => mapOf(keyId, publicKey, notBeforeMs));
  return mapOf(VERSION, sensorId, counter, entries, issuedAtMs);
}

function parseFields(fields: Fields): SensorUpdate {
  const [version, sensorId, counter, keys, issuedAtMs] = valuesOf(fields, 5, "update");
  if (version !== VERSION) throw malformed("version", String(VERSION));
  if (!isBytes(sensorId, 9)) throw malformed("sensor_id", "9 bytes");
  if (!isUnsigned(counter) || counter < 1) throw malformed("counter", "an integer from 1");
  if (!Array.isArray(keys) || keys.length < 1 || keys.length > UPDATE_MAX_KEYS)
    throw malformed("keys", `1..${UPDATE_MAX_KEYS} maps`);
  if (!isUnsigned(issuedAtMs)) throw malformed("issued_at", "milliseconds since the Unix epoch");
  return { sensorId, counter, keys: keys.map(parseKey), issuedAtMs };
}

function parseKey(value: unknown, index: number): RecipientPublicKey {
  const path = `keys[${index}]`;
  const [keyId, publicKey, notBeforeMs] = valuesOf(value, 3, path);
  if (!isBytes(publicKey, 32)) throw malformed(`${path}.public_key`, "32 bytes");
  if (!isBytes(keyId, 8) || !keyIdOf(publicKey).equals(keyId))
    throw malformed(`${path}.key_id`, "the id of its public key");
  if (!isUnsigned(notBeforeMs)) throw malformed(`${path}.not_before`, "milliseconds since the Unix epoch");
  return { keyId, publicKey, notBeforeMs };
}

function decodeFields(bytes: Uint8Array): Map<unknown, unknown> {
  if (bytes.length > UPDATE_MAX_BYTES) throw malformed("update", `at most ${UPDATE_MAX_BYTES} bytes`);
  let value: unknown;
  try {
    value = decodeCbor(bytes);
  } catch (cause) {
    throw protocolErrors.error("UPDATE_MALFORMED", messageOf(cause));
  }
  if (!(value instanceof Map)) throw malformed("update", "a map");
  return value;
}

function signedBytes(fields: Fields): Uint8Array {
  return Buffer.concat([DOMAIN, encodeCbor(fields)]);
}

/** A map of the keys 1, 2, 3, … */
function mapOf(...values: readonly unknown[]): Map<unknown, unknown> {
  return new Map(values.map((value, index) => [index + 1, value]));
}

/** The values of a map whose keys are 1..count, and no others. */
function valuesOf(value: unknown, count: number, path: string): readonly unknown[] {
  const keys = Array.from({ length: count }, (_, index) => index + 1);
  if (!(value instanceof Map) || value.size !== count || !keys.every((key) => value.has(key))) {
    throw malformed(path, `a map with the keys 1..${count}`);
  }
  return keys.map((key) => value.get(key));
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

function isUnsigned(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function malformed(path: string, accepted: string) {
  return protocolErrors.error("UPDATE_MALFORMED", `"${path}" must be ${accepted}`, { path });
}
