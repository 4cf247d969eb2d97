import { on } from "node:events";
import type { Transform } from "node:stream";
import { constants, createInflate, createInflateRaw, createZstdDecompress, inflateSync, ZipBuffer } from "node:zlib";
import { decodedWithin } from "./decoded.ts";
import type { Place } from "./place.ts";

/** What a compressed stream begins with (RFC 1952, section 2.3; RFC 1950, section 2.2, with a window of 32 KiB; RFC 8878, section 3.1.1). */
const GZIP = "1f8b08";
const ZLIB = ["7801", "785e", "789c", "78da"];
const ZSTD = "28b52ffd";
const ZIP = Buffer.from("PK\x03\x04", "latin1");

/** Large things are looked through in slices, each with the end of the one before. */
const SLICE_BYTES = 32 * 1024 * 1024;
const OVERLAP_BYTES = 1024 * 1024;

/** So much of zlib has to be in order for the rest to be tried: its mark is two bytes, which others have by chance. */
const TRIAL_BYTES = 4096;

/** How far into things one looks. What is looked for is found in base64 and hex by itself. */
export interface Depth {
  /** Compressed and encoded things that may lie in one another. */
  readonly opened: number;
  /** How many of these may be encoded. Costs ten times the time. */
  readonly decoded: number;
}

/** As it is, and nothing in it: for gigabytes, such as the memory of processes. */
export const FLAT: Depth = { opened: 0, decoded: 0 };

/** What is compressed, and what is in that once more. */
export const SHALLOW: Depth = { opened: 2, decoded: 0 };

/** For what a program could have hidden. */
export const DEEP: Depth = { opened: 4, decoded: 1 };

/** A place, or a part of it, or what is in it. */
export interface Opened {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Every place, and beside it what is in it: the entries of a zip archive, whatever begins as gzip, zlib or zstd anywhere in it, what
 * it is where it is read as base64, hex or a list of numbers, and what is in these.
 */
export async function* openedPlaces(places: AsyncIterable<Place>, depth: Depth): AsyncIterable<Opened> {
  for await (const { name, content } of places) yield* openedContent(name, content, depth);
}

async function* openedContent(name: string, content: Place["content"], depth: Depth): AsyncIterable<Opened> {
  const whole = typeof content === "string" || content instanceof Uint8Array;
  if (whole) yield* opened(name, Buffer.from(content), depth);
  else for await (const slice of sliced(content)) yield* opened(name, slice, depth);
}

async function* opened(name: string, bytes: Buffer, depth: Depth): AsyncIterable<Opened> {
  yield { name, bytes };
  if (depth.opened === 0) return;
  const deeper = { ...depth, opened: depth.opened - 1 };
  for (const inner of compressedWithin(bytes)) yield* openedContent(name, inner, deeper);
  if (depth.decoded > 0)
    for (const inner of decodedWithin(bytes)) yield* opened(name, inner, { ...deeper, decoded: depth.decoded - 1 });
  if (!bytes.subarray(0, ZIP.length).equals(ZIP)) return;
  for (const [entry, file] of new ZipBuffer(bytes)) yield* opened(`${name} (${entry})`, await file.content(), deeper);
}

/** An answer in a packet, a blob in a database: whatever begins there, as far as it goes. */
function* compressedWithin(bytes: Buffer): Iterable<AsyncIterable<Uint8Array>> {
  const cut = { finishFlush: constants.Z_SYNC_FLUSH };
  // Gunzip itself loses the end of what has something else behind it.
  for (const at of found(bytes, GZIP))
    yield unpacked(bytes.subarray(at + gzipHeader(bytes.subarray(at))), createInflateRaw(cut));
  for (const at of found(bytes, ZSTD)) yield unpacked(bytes.subarray(at), createZstdDecompress());
  for (const mark of ZLIB)
    for (const at of found(bytes, mark))
      if (isZlib(bytes.subarray(at, at + TRIAL_BYTES))) yield unpacked(bytes.subarray(at), createInflate(cut));
}

function* found(bytes: Buffer, mark: string): Iterable<number> {
  const wanted = Buffer.from(mark, "hex");
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) yield at;
}

/** Length of a gzip header with its optional parts: extra field, name, comment, checksum (RFC 1952, section 2.3). */
function gzipHeader(bytes: Buffer): number {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const flag of [8, 16]) if (flags & flag) at = bytes.indexOf(0, at) + 1;
  return flags & 2 ? at + 2 : at;
}

function isZlib(start: Buffer): boolean {
  try {
    return inflateSync(start, { finishFlush: constants.Z_SYNC_FLUSH }).length > 0;
  } catch {
    return false;
  }
}

/** As far as it goes. A stream's own iterator drops, at an error, what it had before. */
async function* unpacked(bytes: Buffer, transform: Transform): AsyncIterable<Uint8Array> {
  const chunks = on(transform, "data", { close: ["end"] });
  transform.end(bytes);
  try {
    for await (const [chunk] of chunks) yield chunk;
  } catch {
  } finally {
    transform.destroy();
  }
}

async function* sliced(stream: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let [chunks, length]: [Uint8Array[], number] = [[], 0];
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length < SLICE_BYTES) continue;
    const slice = Buffer.concat(chunks);
    yield slice;
    [chunks, length] = [[slice.subarray(slice.length - OVERLAP_BYTES)], OVERLAP_BYTES];
  }
  if (length > 0) yield Buffer.concat(chunks);
}
