import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../../../shared/errors.ts";
import { segmentPath } from "../format/layout.ts";
import type { Manifest } from "../format/manifest.ts";
import type { Bundle } from "../format/read.ts";
import type { Watched } from "../format/watched.ts";
import type { ArchiveSources, PlainSource } from "../format/write.ts";
import { packSegment } from "../format/writing/pack-bundle.ts";
import { writeFault } from "../format/writing/write-faults.ts";
import { BaseReader } from "./base-reader.ts";
import { bundleDeltaErrors } from "./errors.ts";
import { applyPatch } from "./patch.ts";
import { deltaMalformed, type Rebuilt, type Recipe } from "./recipe.ts";
import { Spool } from "./spool.ts";
import { blobsBySegment, type Ways } from "./ways.ts";

/** What a full bundle is rebuilt of. */
export interface RebuildJob {
  readonly old: Bundle;
  readonly delta: Bundle;
  readonly full: Manifest;
  readonly ways: Ways;
  /** Version of the zstd library that compressed the full bundle. */
  readonly zstd: Recipe["zstd"];
}

/**
 * Everything of the full bundle but its signatures. Segments that are as they were are read out of the old bundle when they are written; the others
 * are compressed again, and have to come out as the manifest says.
 * @param options `scratchDir`: folder for them, removed by whoever made it. `bytes` of progress are those that are compressed
 * @throws BUNDLE_DELTA_MALFORMED, BUNDLE_DELTA_RUNTIME, BUNDLE_DAMAGED, BUNDLE_INFLATES, BUNDLE_DISK_FULL, BUNDLE_NOT_WRITABLE,
 *   BUNDLE_CANCELLED
 */
export async function rebuildBundle(
  { old, delta, full, ways, zstd }: RebuildJob,
  { scratchDir, signal, onProgress }: Watched & { readonly scratchDir: string },
): Promise<ArchiveSources> {
  try {
    const carried = await spoolOf(delta, await mkdtemp(join(scratchDir, "delta-")), signal);
    const reader = new BaseReader(old, ways.uses, await mkdtemp(join(scratchDir, "old-")), signal);
    try {
      const read = (digest: string) => contentOf(digest, ways, carried, reader);
      const plain = await plainOf(full, ways, old, scratchDir, read);
      const segments: ArchiveSources["segments"][number][] = [];
      const of = full.segments.reduce(
        (sum, { rawBytes }, i) => sum + (ways.sameSegments[i] === undefined ? rawBytes : 0),
        0,
      );
      let done = 0;
      for (const [index, blobs] of blobsBySegment(full).entries()) {
        const same = ways.sameSegments[index];
        if (same !== undefined) {
          segments.push({ open: () => old.stored(segmentPath(same)) });
          continue;
        }
        const file = join(scratchDir, `segment-${index + 1}.zst`);
        const group = blobs.map(({ digest, bytes }) => {
          return { digest, bytes, open: () => Readable.from(read(digest), { objectMode: false }) };
        });
        const packed = await packSegment(group, file, signal, (bytes) => {
          done += bytes;
          onProgress({ bytes: done, of });
        });
        if (packed.digest !== full.segments[index]?.digest) throw otherBytes(index, zstd);
        segments.push(file);
      }
      return { manifest: full, plain, segments };
    } finally {
      await reader.close();
    }
  } catch (thrown) {
    throw writeFault(thrown, scratchDir, signal);
  }
}

async function spoolOf(delta: Bundle, folder: string, signal: AbortSignal): Promise<Spool> {
  const spool = new Spool(folder);
  const all = new Set(delta.manifest.blobs.map(({ digest }) => digest));
  for await (const { digest, content } of delta.blobs(all, { signal })) await spool.put(digest, content);
  return spool;
}

async function plainOf(
  { plain }: Manifest,
  { samePlain }: Ways,
  old: Bundle,
  scratchDir: string,
  read: (digest: string) => AsyncIterable<Uint8Array>,
): Promise<readonly PlainSource[]> {
  const sources: PlainSource[] = [];
  for (const [index, { path, executable, digest }] of plain.entries()) {
    const same = samePlain[index];
    const file = join(scratchDir, `plain-${index + 1}`);
    if (same === undefined) await pipeline(read(digest), createWriteStream(file, { flags: "wx", mode: 0o600 }));
    sources.push({ path, executable, content: same === undefined ? { file } : { open: () => old.stored(same) } });
  }
  return sources;
}

/** A content of the full bundle, by the one way that leads to it. */
function contentOf(digest: string, ways: Ways, carried: Spool, reader: BaseReader): AsyncIterable<Uint8Array> {
  const rebuilt = ways.rebuilt.get(digest);
  if (rebuilt !== undefined) return rebuild(rebuilt, carried, reader);
  return carried.has(digest) ? carried.open(digest) : reader.whole(digest);
}

async function* rebuild({ digest, from, pieces }: Rebuilt, carried: Spool, reader: BaseReader): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for (const { patch, offset, length, bytes } of pieces) {
    const window = await reader.part(from, offset, length);
    const piece = await pieceOf(window, await carried.slice(patch, 0, carried.bytes(patch)), bytes, digest);
    hash.update(piece);
    yield piece;
  }
  await reader.done(from);
  if (`sha256:${hash.digest("hex")}` !== digest) throw deltaMalformed(`what the recipe makes is not ${digest}`);
}

async function pieceOf(window: Buffer, patch: Buffer, bytes: number, digest: string): Promise<Buffer> {
  const piece = await applyPatch(window, patch, bytes).catch((thrown: unknown) => {
    throw deltaMalformed(`a patch for ${digest} cannot be used: ${messageOf(thrown)}`, thrown);
  });
  if (piece.length === bytes) return piece;
  throw deltaMalformed(`a patch for ${digest} gives ${piece.length} bytes; the recipe says ${bytes}`);
}

function otherBytes(index: number, zstd: string): Error {
  const here = process.versions.zstd;
  const what = `"${segmentPath(index)}" compresses to other bytes than the manifest says`;
  if (here === zstd) return deltaMalformed(what);
  const message = `${what}: it was made with zstd ${zstd}, and this runtime has ${here}`;
  return bundleDeltaErrors.error("BUNDLE_DELTA_RUNTIME", message);
}
