import { Tokenizer } from "cborg";
import { STRICT } from "./cbor.ts";
import {
  decodeEnvelope,
  ENVELOPE_FIELDS,
  type Envelope,
  type EnvelopeField,
  envelopeDigest,
  FLAG,
} from "./envelope.ts";
import { hexOf } from "./hex.ts";
import { judgeContent, judgeOrigin, type RecipientKey, type SensorTrust } from "./judge.ts";
import type { Payload } from "./payload.ts";
import type { Rejection, Verdict } from "./verdict.ts";

/** One field as it stands in the bytes. */
export interface InspectedField {
  readonly key: number;
  readonly name: string;
  /** Index of the first byte of the field's value. */
  readonly offset: number;
  /** Bytes of the value with its CBOR head. */
  readonly length: number;
  /** A number, or a byte string in hex. */
  readonly value: number | string;
  /** What the value says in words. */
  readonly meaning: string;
}

/** Result of `trustkern envelope inspect`. */
export interface InspectReport {
  readonly schema: "trustkern.envelope-inspect/1";
  /** Length of the envelope in bytes. */
  readonly size: number;
  /** SHA-256 of the envelope, hex. */
  readonly digest: string;
  /** The fields up to the one that is wrong. */
  readonly fields: readonly InspectedField[];
  /** The first check that fails, `accepted` when all pass, null when none fails but some could not run. */
  readonly verdict: Verdict | null;
  /** Checks that could not run for want of a key. */
  readonly unchecked: readonly (typeof CHECKS)[number][];
  /** Index of the byte at which it goes wrong: of the item in the structure, or of the field's value that fails its check. */
  readonly offset: number | null;
  readonly reason: string | null;
  readonly payload: Payload | null;
}

/** Keys for the checks that need them; a check without its key is left out and said so. */
export interface InspectKeys {
  readonly trustOf?: (sensorId: string) => SensorTrust;
  readonly recipient?: RecipientKey;
}

const CHECKS = ["signature", "decryption"] as const;
const NEEDS = { signature: "trustOf", decryption: "recipient" } as const;

/** The field that each check beyond the structure is about. */
const BLAMED: Partial<Record<Rejection, keyof Envelope>> = {
  "unsupported-version": "version",
  "unknown-sensor": "sensorId",
  "revoked-sensor": "sensorId",
  "bad-signature": "signature",
  "unknown-key": "keyId",
  "decrypt-failed": "ciphertext",
  "bad-payload": "ciphertext",
};

/** Explains an envelope field by field, and runs every check that it has the keys for. */
export function inspectEnvelope(bytes: Uint8Array, keys: InspectKeys): InspectReport {
  const { verdict, offset, reason, payload } = judgeWith(bytes, keys);
  const unchecked = CHECKS.filter((check) => keys[NEEDS[check]] === undefined);
  const fields = fieldsOf(bytes, verdict === "malformed" ? (offset ?? 0) : bytes.length);
  const blamed = fields.find(({ key }) => ENVELOPE_FIELDS[key - 1]?.name === BLAMED[verdict as Rejection]);
  return {
    schema: "trustkern.envelope-inspect/1",
    size: bytes.length,
    digest: hexOf(envelopeDigest(bytes)),
    fields,
    verdict: verdict === "accepted" && unchecked.length > 0 ? null : verdict,
    unchecked,
    offset: offset ?? blamed?.offset ?? null,
    reason: reason ?? null,
    payload: payload ?? null,
  };
}

interface Outcome {
  readonly verdict: Verdict;
  readonly offset?: number;
  readonly reason?: string;
  readonly payload?: Payload;
}

function judgeWith(bytes: Uint8Array, { trustOf, recipient }: InspectKeys): Outcome {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok) return decoded;
  if (trustOf) {
    const origin = judgeOrigin(bytes, trustOf);
    if (!origin.ok) return origin;
  }
  if (!recipient) return { verdict: "accepted" };
  const content = judgeContent(decoded, recipient);
  return content.ok ? { verdict: "accepted", payload: content.payload } : content;
}

/** The fields that stand before `end`, which the decoder found to be well formed up to there. */
function fieldsOf(bytes: Uint8Array, end: number): readonly InspectedField[] {
  const tokens = new Tokenizer(bytes, STRICT);
  const fields: InspectedField[] = [];
  if (end === 0) return fields;
  tokens.next();
  for (const field of ENVELOPE_FIELDS) {
    if (tokens.pos() >= end) break;
    tokens.next();
    const offset = tokens.pos();
    if (offset >= end) break;
    const { value } = tokens.next();
    fields.push({
      key: field.key,
      name: field.wireName,
      offset,
      length: tokens.pos() - offset,
      value: value instanceof Uint8Array ? hexOf(value) : typeof value === "bigint" ? String(value) : value,
      meaning: meaningOf(field, value),
    });
  }
  return fields;
}

const MEANINGS: Readonly<Record<keyof Envelope, (value: never) => string>> = {
  version: () => "version of the envelope",
  sensorId: () => "serial number of the secure element",
  bootId: () => "number of the boot",
  seq: () => "number of the message in its boot",
  timestamp: (value: number) => (value === 0 ? "clock not set" : timeOf(value)),
  flags: (value: number) => flagsOf(value).join(", ") || "none",
  keyId: () => "id of the recipient key",
  ciphertext: (value: Uint8Array) =>
    `enc of 32 bytes, AES-128-GCM ciphertext of ${value.length - 48} bytes, tag of 16 bytes`,
  signature: () => "r || s, 32 bytes each",
};

function meaningOf(field: EnvelopeField, value: unknown): string {
  return MEANINGS[field.name](value as never);
}

function flagsOf(flags: number): readonly string[] {
  return Object.entries(FLAG)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name);
}

/** 2^53-1 ms lies beyond the calendar of ECMAScript. */
function timeOf(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? "beyond the year 275760" : date.toISOString();
}
