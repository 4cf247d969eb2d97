import { compose, Readable } from "node:stream";
import { constants, createGunzip, gunzipSync, inflateRawSync, ZipBuffer } from "node:zlib";
import type { Place } from "./place.ts";

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
/** Without a file name or a comment (RFC 1952, section 2.3). */
const GZIP_HEADER_BYTES = 10;
const ZIP = Buffer.from("PK\x03\x04", "latin1");
/** Most bytes that something compressed inside of something else may come to; what is beyond is not looked at. */
const MAX_INNER_BYTES = 64 * 1024 * 1024;

/** A place whose content is bytes, whole or one chunk after the other. */
export interface Opened {
  readonly name: string;
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Every place, and beside it what is in it where it is an archive or holds gzip; a compressed stream, as it was before. */
export async function* openedPlaces(places: AsyncIterable<Place>): AsyncIterable<Opened> {
  for await (const { name, content } of places) {
    if (typeof content !== "string" && !(content instanceof Uint8Array)) {
      yield { name, content: inflated(content) };
      continue;
    }
    const bytes = Buffer.from(content);
    yield { name, content: bytes };
    for (const inner of gzipWithin(bytes)) yield { name, content: inner };
    if (!bytes.subarray(0, ZIP.length).equals(ZIP)) continue;
    for (const [entry, file] of new ZipBuffer(bytes))
      yield { name: `${name} (${entry})`, content: await file.content() };
  }
}

/** What begins as gzip anywhere in the bytes, inflated as far as it goes: an answer in a packet, a blob in a database. */
function* gzipWithin(bytes: Buffer): Iterable<Buffer> {
  for (let at = bytes.indexOf(GZIP); at >= 0; at = bytes.indexOf(GZIP, at + 1)) {
    const inner = inflatedFrom(bytes.subarray(at));
    if (inner !== undefined && inner.length > 0) yield inner;
  }
}

function inflatedFrom(bytes: Buffer): Buffer | undefined {
  // What is cut off gives what there is; what lies behind belongs to somebody else, which gunzip refuses and inflate ignores.
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_INNER_BYTES };
  for (const inflate of [
    () => gunzipSync(bytes, options),
    () => inflateRawSync(bytes.subarray(GZIP_HEADER_BYTES), options),
  ]) {
    try {
      return inflate();
    } catch {}
  }
  return undefined;
}

async function* inflated(stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const whole = async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  };
  const gzip = Buffer.from(first.value).subarray(0, GZIP.length).equals(GZIP);
  yield* gzip ? compose(Readable.from(whole()), createGunzip()) : whole();
}
