import { RECEIPT_DIGEST_BYTES } from "../../../protocol/receipt.ts";
import { type Verdict, verdictCode, verdictOfCode } from "../../../protocol/verdict.ts";

// Batches cross threads as one transferred buffer each way: an object for every message would cost as much as opening it.
// Multi-byte numbers are little-endian.

const SENSOR_BYTES = 9;
const MESSAGE_HEAD = 4 + SENSOR_BYTES;
const DIGEST_BYTES = 32;
const KEY_ID_BYTES = 8;
const RESULT_HEAD = 1 + DIGEST_BYTES;
const ACCEPTED_HEAD = 4 + 4 + 8 + 2 + KEY_ID_BYTES + 2;
/** Result codes beside those of verdicts. */
const UNLISTED = 255;
const FAULT = 254;

/** A message on its way to a worker thread. */
export interface PackedMessage {
  /** Sensor id of the topic, lower-case hex. */
  readonly sensorId: string;
  readonly bytes: Uint8Array;
}

/** The parts of an accepted envelope that a row is made of. */
export interface AcceptedFields {
  readonly bootId: number;
  readonly seq: number;
  /** Milliseconds since the Unix epoch by the sensor's clock. */
  readonly timestamp: number;
  readonly flags: number;
  readonly keyId: Uint8Array;
  /** The payload's text as UTF-8. */
  readonly payload: Uint8Array;
}

/**
 * What a worker thread says of one message. `unlisted`: its sensor is not in this copy of the allowlist, and the copy may be
 * stale; `fault`: a check failed to run. Neither is a verdict.
 */
export type CheckResult = {
  /** SHA-256 of the bytes. */
  readonly digest: Uint8Array;
} & (
  | { readonly outcome: "accepted"; readonly fields: AcceptedFields }
  | { readonly outcome: Exclude<Verdict, "accepted"> | "unlisted" | "fault" }
);

/** Packs messages into one buffer of its own. */
export function packMessages(messages: readonly PackedMessage[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const { bytes } of messages) size += MESSAGE_HEAD + bytes.length;
  const packed = ownBuffer(size);
  let at = 0;
  for (const { sensorId, bytes } of messages) {
    packed.writeUInt32LE(bytes.length, at);
    packed.write(sensorId, at + 4, SENSOR_BYTES, "hex");
    packed.set(bytes, at + MESSAGE_HEAD);
    at += MESSAGE_HEAD + bytes.length;
  }
  return packed;
}

/** The messages in a packed buffer, as views of it. */
export function unpackMessages(packed: Uint8Array): readonly PackedMessage[] {
  const buffer = view(packed);
  const messages: PackedMessage[] = [];
  for (let at = 0; at < buffer.length; ) {
    const start = at + MESSAGE_HEAD;
    const end = start + buffer.readUInt32LE(at);
    messages.push({ sensorId: buffer.toString("hex", at + 4, start), bytes: buffer.subarray(start, end) });
    at = end;
  }
  return messages;
}

/** Packs results into one buffer of its own. */
export function packResults(results: readonly CheckResult[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const result of results)
    size += RESULT_HEAD + ("fields" in result ? ACCEPTED_HEAD + result.fields.payload.length : 0);
  const packed = ownBuffer(size);
  let at = 0;
  for (const result of results) {
    packed[at] = codeOf(result.outcome);
    packed.set(result.digest, at + 1);
    at += RESULT_HEAD;
    if ("fields" in result) at = writeFields(packed, at, result.fields);
  }
  return packed;
}

/** The results in a packed buffer; byte strings are views of it. */
export function unpackResults(packed: Uint8Array): readonly CheckResult[] {
  const buffer = view(packed);
  const results: CheckResult[] = [];
  for (let at = 0; at < buffer.length; ) {
    const outcome = outcomeOf(buffer[at] ?? FAULT);
    const digest = buffer.subarray(at + 1, at + RESULT_HEAD);
    at += RESULT_HEAD;
    if (outcome === "accepted") {
      const fields = readFields(buffer, at);
      at += ACCEPTED_HEAD + fields.payload.length;
      results.push({ outcome, digest, fields });
    } else results.push({ outcome, digest });
  }
  return results;
}

/** The part of a digest that names an envelope in a receipt. */
export function receiptDigest(digest: Uint8Array): Uint8Array {
  return digest.subarray(0, RECEIPT_DIGEST_BYTES);
}

function writeFields(packed: Buffer, start: number, fields: AcceptedFields): number {
  let at = packed.writeUInt32LE(fields.bootId, start);
  at = packed.writeUInt32LE(fields.seq, at);
  at = packed.writeDoubleLE(fields.timestamp, at);
  at = packed.writeUInt16LE(fields.flags, at);
  packed.set(fields.keyId, at);
  at = packed.writeUInt16LE(fields.payload.length, at + KEY_ID_BYTES);
  packed.set(fields.payload, at);
  return at + fields.payload.length;
}

function readFields(buffer: Buffer, at: number): AcceptedFields {
  const start = at + ACCEPTED_HEAD;
  return {
    bootId: buffer.readUInt32LE(at),
    seq: buffer.readUInt32LE(at + 4),
    timestamp: buffer.readDoubleLE(at + 8),
    flags: buffer.readUInt16LE(at + 16),
    keyId: buffer.subarray(at + 18, at + 18 + KEY_ID_BYTES),
    payload: buffer.subarray(start, start + buffer.readUInt16LE(start - 2)),
  };
}

function codeOf(outcome: CheckResult["outcome"]): number {
  if (outcome === "unlisted") return UNLISTED;
  return outcome === "fault" ? FAULT : verdictCode(outcome);
}

function outcomeOf(code: number): CheckResult["outcome"] {
  if (code === UNLISTED) return "unlisted";
  return verdictOfCode(code) ?? "fault";
}

/** Not from Buffer's pool: the memory is transferred. */
function ownBuffer(size: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(size));
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
