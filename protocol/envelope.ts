import { hash } from "node:crypto";
import { type Token, Tokenizer, Type } from "cborg";
import { messageOf } from "../shared/errors.ts";
import { encodeCbor, STRICT } from "./cbor.ts";
import { protocolErrors } from "./errors.ts";
import { viewOf } from "./hex.ts";

/** Largest envelope in bytes. */
export const ENVELOPE_MAX_BYTES = 4096;

/** Bits of {@link Envelope.flags}; all others are 0. */
export const FLAG = { clockNotSet: 1, batteryLow: 2, otaEvent: 4, lifecycleEvent: 8 } as const;

/** A telemetry envelope, version 1. */
export interface Envelope {
  readonly version: number;
  /** Serial number of the sensor's secure element, 9 bytes. */
  readonly sensorId: Uint8Array;
  /** Grows by at least one at every reboot, below 2^32. */
  readonly bootId: number;
  /** Grows by at least one with every message of one boot, below 2^32. */
  readonly seq: number;
  /** Milliseconds since the Unix epoch by the sensor's clock, below 2^53; 0 while the clock is not set. */
  readonly timestamp: number;
  /** Bits of {@link FLAG}. */
  readonly flags: number;
  /** First 8 bytes of SHA-256 of the recipient's raw X25519 public key. */
  readonly keyId: Uint8Array;
  /** HPKE `enc` (32 bytes) and the AEAD ciphertext with its tag, 48..3072 bytes together. */
  readonly ciphertext: Uint8Array;
  /** ECDSA P-256 with SHA-256, r || s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** A decoded envelope. Its byte strings, but `signedBytes` and `aad`, are views of the bytes that were given. */
export interface DecodedEnvelope {
  readonly ok: true;
  readonly envelope: Envelope;
  /** What the device key signed: domain string, 0x00, `cbor({1..8})`. */
  readonly signedBytes: Uint8Array;
  /** Associated data of the encryption: `cbor({1..7})`. */
  readonly aad: Uint8Array;
}

/** Why bytes are no envelope of version 1. */
export interface UndecodableEnvelope {
  readonly ok: false;
  readonly verdict: "malformed" | "unsupported-version";
  /** Index of the first byte of the item that is wrong; the length of the bytes where one is missing. */
  readonly offset: number;
  readonly reason: string;
}

/** One row of the table of fields. */
export interface EnvelopeField {
  readonly key: number;
  readonly name: keyof Envelope;
  /** Name in the specification. */
  readonly wireName: string;
  readonly type: "unsigned" | "bytes";
  /** Least value, or least length in bytes. */
  readonly min: number;
  /** Greatest value, or greatest length in bytes. */
  readonly max: number;
}

/** The nine fields in the order of their keys. The version's own rule comes last: see {@link decodeEnvelope}. */
export const ENVELOPE_FIELDS: readonly EnvelopeField[] = [
  { key: 1, name: "version", wireName: "version", type: "unsigned", min: 0, max: Number.POSITIVE_INFINITY },
  { key: 2, name: "sensorId", wireName: "sensor_id", type: "bytes", min: 9, max: 9 },
  { key: 3, name: "bootId", wireName: "boot_id", type: "unsigned", min: 0, max: 2 ** 32 - 1 },
  { key: 4, name: "seq", wireName: "seq", type: "unsigned", min: 0, max: 2 ** 32 - 1 },
  { key: 5, name: "timestamp", wireName: "timestamp", type: "unsigned", min: 0, max: 2 ** 53 - 1 },
  { key: 6, name: "flags", wireName: "flags", type: "unsigned", min: 0, max: 15 },
  { key: 7, name: "keyId", wireName: "key_id", type: "bytes", min: 8, max: 8 },
  { key: 8, name: "ciphertext", wireName: "ciphertext", type: "bytes", min: 48, max: 3072 },
  { key: 9, name: "signature", wireName: "signature", type: "bytes", min: 64, max: 64 },
];

const DOMAIN = Buffer.from("trustkern/envelope/v1\0", "ascii");
const MAP_OF = 0xa0;

class Refusal extends Error {}

/**
 * Reads an envelope in one pass over cborg's strict tokenizer. It rejects every integer and length that is not the
 * shortest, indefinite lengths and cut items; the keys are compared with 1..9 in turn. With that the encoding is
 * proved to be the deterministic one, so `cbor({1..8})` and `cbor({1..7})` are a map header and the bytes received.
 * The version is judged last: another version in another shape is `malformed`.
 */
export function decodeEnvelope(bytes: Uint8Array): DecodedEnvelope | UndecodableEnvelope {
  const size = bytes.length;
  if (size > ENVELOPE_MAX_BYTES) {
    return malformed(ENVELOPE_MAX_BYTES, `${size} bytes, at most ${ENVELOPE_MAX_BYTES} are accepted`);
  }
  const view = viewOf(bytes);
  const tokens = new Tokenizer(view, STRICT);
  let offset = 0;
  const next = (type: Type, what: string): Token => {
    offset = tokens.pos();
    if (offset >= size) throw new Refusal(`ends before ${what}`);
    const token = tokens.next();
    if (token.type !== type) throw new Refusal(`${what} must be ${type.name}, got ${token.type.name}`);
    return token;
  };
  const field = (index: number): unknown => {
    const { key, wireName, type, min, max } = ENVELOPE_FIELDS[index] as EnvelopeField;
    const got: unknown = next(Type.uint, `key ${key}`).value;
    if (got !== key) throw new Refusal(`key ${key} is expected here, got ${String(got)}`);
    const token = next(type === "bytes" ? Type.bytes : Type.uint, wireName);
    const amount: number | bigint = type === "bytes" ? token.value.length : token.value;
    if (amount < min || amount > max) throw new Refusal(`${wireName} must be ${range(min, max, type)}, got ${amount}`);
    return token.value;
  };
  try {
    const entries: unknown = next(Type.map, "the envelope").value;
    if (entries !== 9) throw new Refusal(`a map of 9 entries is expected, got ${String(entries)}`);
    const start = tokens.pos();
    const version = field(0);
    const sensorId = field(1) as Uint8Array;
    const bootId = field(2) as number;
    const seq = field(3) as number;
    const timestamp = field(4) as number;
    const flags = field(5) as number;
    const keyId = field(6) as Uint8Array;
    const endOfHeader = tokens.pos();
    const ciphertext = field(7) as Uint8Array;
    const endOfSigned = tokens.pos();
    const signature = field(8) as Uint8Array;
    if (tokens.pos() !== size) {
      offset = tokens.pos();
      throw new Refusal(`${size - offset} bytes follow the envelope`);
    }
    if (version !== 1) {
      return {
        ok: false,
        verdict: "unsupported-version",
        offset: start + 1,
        reason: `version ${String(version)}, only 1 is accepted`,
      };
    }
    return {
      ok: true,
      envelope: { version, sensorId, bootId, seq, timestamp, flags, keyId, ciphertext, signature },
      signedBytes: withHeader(DOMAIN, 8, view.subarray(start, endOfSigned)),
      aad: withHeader(undefined, 7, view.subarray(start, endOfHeader)),
    };
  } catch (thrown) {
    return malformed(offset, messageOf(thrown));
  }
}

/**
 * The deterministic encoding of an envelope.
 * @throws PROTOCOL_BAD_FIELD for what {@link decodeEnvelope} would reject
 */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return encodeFields(envelope, 9);
}

/** `cbor({1..count})` of an envelope under construction: 7 for the associated data, 8 to be signed, 9 for all. */
export function encodeFields(envelope: Partial<Envelope>, count: 7 | 8 | 9): Uint8Array {
  const entries = ENVELOPE_FIELDS.slice(0, count).map(
    (field) => [field.key, checked(field, envelope[field.name])] as const,
  );
  return encodeCbor(new Map(entries));
}

/** What the device key signs: domain string, 0x00, `cbor({1..8})`. */
export function envelopeSignedBytes(envelope: Partial<Envelope>): Uint8Array {
  return Buffer.concat([DOMAIN, encodeFields(envelope, 8)]);
}

/** SHA-256 of an envelope's bytes, 32 bytes: its name in receipts (first 16 bytes), events and the index. */
export function envelopeDigest(bytes: Uint8Array): Buffer {
  return hash("sha256", bytes, "buffer");
}

function checked(field: EnvelopeField, value: number | Uint8Array | undefined): number | Uint8Array {
  const amount = field.type === "bytes" && value instanceof Uint8Array ? value.length : value;
  const max = Math.min(field.max, Number.MAX_SAFE_INTEGER);
  if (value === undefined || !Number.isSafeInteger(amount) || Number(amount) < field.min || Number(amount) > max) {
    const got = value instanceof Uint8Array ? `${value.length} bytes` : String(value);
    const message = `"${field.name}" must be ${range(field.min, max, field.type)}, got ${got}`;
    throw protocolErrors.error("PROTOCOL_BAD_FIELD", message, { path: field.name });
  }
  return value;
}

function range(min: number, max: number, type: EnvelopeField["type"]): string {
  return `${min === max ? min : `${min}..${max}`}${type === "bytes" ? " bytes" : ""}`;
}

function malformed(offset: number, reason: string): UndecodableEnvelope {
  return { ok: false, verdict: "malformed", offset, reason };
}

function withHeader(domain: Uint8Array | undefined, entries: number, body: Uint8Array): Uint8Array {
  const skip = domain?.length ?? 0;
  const out = Buffer.allocUnsafe(skip + 1 + body.length);
  if (domain) out.set(domain);
  out[skip] = MAP_OF | entries;
  out.set(body, skip + 1);
  return out;
}
