import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { bundleFormatErrors } from "./errors.ts";
import { END_BYTES, type Entry, paddingOf, renderHeader } from "./layout.ts";
import { digestOf, type Manifest } from "./manifest.ts";
import { type BundleBlob, readBlobs, stored } from "./reading/blobs.ts";
import { readHead } from "./reading/head.ts";
import { openParts, type Parts } from "./reading/parts.ts";
import type { Watched } from "./watched.ts";

export type { BundleBlob };

/** What is read at once. */
const CHUNK_BYTES = 1_048_576;

/**
 * An open bundle. Its head was read and is consistent; nothing is known yet of who signed it, nor of the bytes behind the head.
 */
export interface Bundle {
  readonly path: string;
  /** The bundle, or its parts in order. */
  readonly files: readonly string[];
  /** Of all files together. */
  readonly bytes: number;
  readonly slot: Uint8Array;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  /** The text of `SHA256SUMS`, which follows from the manifest. */
  readonly sums: Uint8Array;
  /** Reads every byte and compares it with what the manifest says it is. @throws BUNDLE_DAMAGED, BUNDLE_TRUNCATED, BUNDLE_CANCELLED */
  readonly verifyBytes: (options: Watched) => Promise<void>;
  /** The bytes of a plain file or a segment, as they lie in the archive: nobody has checked them. @throws BUNDLE_NO_ENTRY */
  readonly stored: (path: string) => Readable;
  /** A file that lies in the archive as it is; its digest is checked. @throws BUNDLE_NO_ENTRY, BUNDLE_DAMAGED, BUNDLE_TRUNCATED */
  readonly plain: (path: string) => Promise<Uint8Array>;
  /**
   * Blobs in the order of the bundle; only segments that have one of them are read. What of a content is not read before the next
   * blob is asked for is skipped. Never unpacks more than the manifest says.
   * @throws BUNDLE_NO_ENTRY for a digest that is not in the manifest, BUNDLE_DAMAGED, BUNDLE_INFLATES, BUNDLE_CANCELLED
   */
  readonly blobs: (
    wanted: ReadonlySet<string>,
    options: { readonly signal: AbortSignal },
  ) => AsyncIterableIterator<BundleBlob>;
  readonly close: () => Promise<void>;
}

/**
 * Opens a bundle, or the parts of one by the first of them, and reads its head: at most 6 MiB.
 * @throws BUNDLE_NOT_FOUND, BUNDLE_PART_MISSING, BUNDLE_TRUNCATED, BUNDLE_MALFORMED, BUNDLE_OTHER_FORM
 */
export async function openBundle(path: string): Promise<Bundle> {
  return bundleIn(await openParts(path), path);
}

/**
 * The bundle that lies in parts, wherever they are; they are closed when it is none.
 * @throws BUNDLE_TRUNCATED, BUNDLE_PART_MISSING, BUNDLE_MALFORMED, BUNDLE_OTHER_FORM
 */
export async function bundleIn(parts: Parts, path: string): Promise<Bundle> {
  try {
    const head = await readHead(parts);
    const { layout, manifest } = head;
    return {
      ...{ path, files: parts.files, bytes: parts.bytes },
      ...{ slot: head.slot, manifest, manifestBytes: head.manifestBytes, sums: head.sums },
      verifyBytes: (options) => verifyBytes(parts, head.slot, layout.entries, options),
      stored: (name) => storedAt(parts, layout.entries, name),
      plain: (name) => readPlain(parts, manifest, layout.entries, name),
      blobs: (wanted, { signal }) => readBlobs({ parts, manifest, entries: layout.entries, wanted, signal }),
      close: parts.close,
    };
  } catch (thrown) {
    await parts.close();
    throw thrown;
  }
}

async function verifyBytes(parts: Parts, slot: Uint8Array, entries: readonly Entry[], options: Watched): Promise<void> {
  const buffers: Buffers = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  for (const entry of entries) {
    const header = await renderHeader(entry);
    await expectBytes(parts, entry.offset - header.length, header, `the header of "${entry.path}"`);
    const content = entry.content ?? slot;
    if (typeof content !== "string") await expectBytes(parts, entry.offset, content, `"${entry.path}"`);
    else if ((await digestIn(parts, entry, buffers, options)) !== content) throw damaged(`"${entry.path}"`);
    const end = entry.offset + entry.bytes;
    await expectBytes(parts, end, Buffer.alloc(paddingOf(entry.bytes)), `what follows "${entry.path}"`);
  }
  await expectBytes(parts, parts.bytes - END_BYTES, Buffer.alloc(END_BYTES), "its end");
  options.onProgress({ bytes: parts.bytes, of: parts.bytes });
}

type Buffers = readonly [Buffer, Buffer];

/** Reads the next chunk while it hashes the one before. */
async function digestIn(parts: Parts, entry: Entry, [one, other]: Buffers, options: Watched): Promise<string> {
  const hash = createHash("sha256");
  const end = entry.offset + entry.bytes;
  const readAt = async (offset: number, buffer: Buffer): Promise<Buffer> => {
    const chunk = buffer.subarray(0, Math.max(0, Math.min(CHUNK_BYTES, end - offset)));
    await parts.read(offset, chunk);
    return chunk;
  };
  let [current, next] = [one, other];
  let chunk = await readAt(entry.offset, current);
  for (let offset = entry.offset; offset < end; ) {
    if (options.signal.aborted) throw cancelled();
    const following = readAt(offset + chunk.length, next);
    hash.update(chunk);
    offset += chunk.length;
    options.onProgress({ bytes: offset, of: parts.bytes });
    chunk = await following;
    [current, next] = [next, current];
  }
  return `sha256:${hash.digest("hex")}`;
}

async function expectBytes(parts: Parts, offset: number, expected: Uint8Array, what: string): Promise<void> {
  const found = Buffer.allocUnsafe(expected.length);
  await parts.read(offset, found);
  if (found.compare(expected) !== 0) throw damaged(what);
}

async function readPlain(
  parts: Parts,
  manifest: Manifest,
  entries: readonly Entry[],
  path: string,
): Promise<Uint8Array> {
  const entry = entries.find((each) => each.path === path);
  if (entry === undefined || !manifest.plain.some((each) => each.path === path)) {
    throw bundleFormatErrors.error("BUNDLE_NO_ENTRY", `the bundle has no plain file "${path}"`, { path });
  }
  const bytes = Buffer.alloc(entry.bytes);
  await parts.read(entry.offset, bytes);
  if (digestOf(bytes) !== entry.content) throw damaged(`"${path}"`);
  return bytes;
}

function storedAt(parts: Parts, entries: readonly Entry[], path: string): Readable {
  const entry = entries.find((each) => each.path === path);
  if (entry !== undefined) return Readable.from(stored(parts, entry), { objectMode: false });
  throw bundleFormatErrors.error("BUNDLE_NO_ENTRY", `the bundle has no entry "${path}"`, { path });
}

function damaged(what: string): Error {
  return bundleFormatErrors.error("BUNDLE_DAMAGED", `${what} is not what the manifest says`);
}

function cancelled(): Error {
  return bundleFormatErrors.error("BUNDLE_CANCELLED", "cancelled while reading");
}
