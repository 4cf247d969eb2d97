import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Manifest, parseManifest, renderManifest } from "../manifest.ts";
import { MANIFEST_SCHEMA } from "../manifest-schema.ts";
import type { Watched } from "../watched.ts";
import { compressor, rechunked } from "../zstd.ts";
import { type BlobSource, type BundleContents, openPlain, type PlainSource, sourceBytes } from "./contents.ts";
import { writeFault } from "./write-faults.ts";

/** Segments that are compressed at the same time: each takes about a quarter of a GiB of memory. */
const AT_ONCE = 4;

/** A bundle of which everything is ready but the signatures. */
export interface PackedBundle {
  readonly manifest: Manifest;
  /** In the manifest's order. */
  readonly plain: readonly PlainSource[];
  /** Files of the scratch folder, one a segment. */
  readonly segments: readonly string[];
}

/** Where segments are put, and how it is watched: `bytes` of blobs that went through. */
export interface PackOptions extends Watched {
  /** A folder for the segments: about the size of the bundle. Whoever made it removes it. */
  readonly scratchDir: string;
}

/**
 * Compresses the segments, and says what the bundle has. The same contents give the same bytes. On failure the segments are removed.
 * @throws BUNDLE_SOURCE_CHANGED, BUNDLE_MALFORMED for contents that no manifest may have, BUNDLE_DISK_FULL, BUNDLE_NOT_WRITABLE,
 * BUNDLE_CANCELLED
 */
export async function packBundle(contents: BundleContents, options: PackOptions): Promise<PackedBundle> {
  const { groups, plain: plainSources, files, images, ...common } = contents;
  const plain = [...plainSources].sort(by(({ path }) => path));
  const segmentFiles = groups.map((_, index) => join(options.scratchDir, `segment-${index + 1}.zst`));
  const of = groups.flat().reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
    options.onProgress({ bytes: done, of });
  };
  try {
    const segments = await packSegments(groups, segmentFiles, options.signal, onBytes);
    const manifest = {
      schema: MANIFEST_SCHEMA,
      ...common,
      plain: await Promise.all(plain.map(describePlain)),
      files: [...files].sort(by(({ path }) => path)),
      images: [...images].sort(by(({ name }) => name)),
      blobs: groups.flat().map(({ digest, bytes }) => ({ digest, bytes })),
      segments,
    } satisfies Manifest;
    return { manifest: parseManifest(renderManifest(manifest)), plain, segments: segmentFiles };
  } catch (thrown) {
    await Promise.all(segmentFiles.map((file) => rm(file, { force: true })));
    throw writeFault(thrown, options.scratchDir, options.signal);
  }
}

/** Several at once, since one core compresses one; the first that fails ends the others. */
async function packSegments(
  groups: readonly (readonly BlobSource[])[],
  files: readonly string[],
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<Manifest["segments"]> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const segments: Manifest["segments"] = [];
  const left = [...groups.entries()];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, group] = next;
      segments[index] = await packSegment(group, files[index] ?? "", either, onBytes);
    }
  };
  const fail = (thrown: unknown): void => {
    left.length = 0;
    failure.abort(thrown);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, availableParallelism()) }, () => work().catch(fail)));
  if (failure.signal.aborted) throw failure.signal.reason;
  return segments;
}

/**
 * Compresses blobs into one segment.
 * @param file which is not there yet
 * @throws BUNDLE_SOURCE_CHANGED, and what the disk throws
 */
export async function packSegment(
  group: readonly BlobSource[],
  file: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<Manifest["segments"][number]> {
  const rawBytes = group.reduce((sum, { bytes }) => sum + bytes, 0);
  const hash = createHash("sha256");
  let bytes = 0;
  async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  }
  async function* raw(): AsyncGenerator<Uint8Array> {
    for (const blob of group) {
      for await (const chunk of sourceBytes(blob)) {
        yield chunk;
        onBytes(chunk.length);
      }
    }
  }
  const source = Readable.from(rechunked(raw()), { objectMode: false });
  await pipeline(source, compressor(rawBytes), counted, createWriteStream(file, { flags: "wx", mode: 0o600 }), {
    signal,
  });
  return { digest: `sha256:${hash.digest("hex")}`, bytes, rawBytes, blobs: group.length };
}

async function describePlain(source: PlainSource): Promise<Manifest["plain"][number]> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of openPlain(source)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path: source.path, digest: `sha256:${hash.digest("hex")}`, bytes, executable: source.executable };
}

function by<T>(key: (value: T) => string): (one: T, other: T) => number {
  return (one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0);
}
