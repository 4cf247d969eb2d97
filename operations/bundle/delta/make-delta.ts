import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { digestOf } from "../format/manifest.ts";
import type { Bundle } from "../format/read.ts";
import type { Watched } from "../format/watched.ts";
import type { BlobSource, BundleContents } from "../format/write.ts";
import { rechunked } from "../format/zstd.ts";
import { BaseReader } from "./base-reader.ts";
import { assertBothFull } from "./pair.ts";
import { contentsOf, partnersOf } from "./partners.ts";
import { makePatch } from "./patch.ts";
import { DELTA_FILES, MARGIN_BYTES, PIECE_BYTES, type Rebuilt, renderRecipe } from "./recipe.ts";
import { Spool } from "./spool.ts";

/** Smaller contents go into a delta as they are: saying how they come from old ones would be as much. */
const LEAST_BYTES = 4096;
const WINDOW_BYTES = PIECE_BYTES + 2 * MARGIN_BYTES;

/** An old bundle and the one that follows; both open. */
export interface BundlePair {
  readonly old: Bundle;
  readonly full: Bundle;
}

/**
 * What a delta has that leads from an old bundle to a full one: to be packed, signed and written as any bundle. The same two bundles
 * give the same contents.
 * @param options `scratchDir`: folder for what is new, uncompressed; it has to stay until the delta is packed. `bytes` of progress are those of new contents
 * @throws BUNDLE_DELTA_NEEDS_FULL, BUNDLE_DELTA_OTHER_DEPLOYMENT, BUNDLE_DAMAGED, BUNDLE_INFLATES, BUNDLE_CANCELLED
 */
export async function deltaContents(
  { old, full }: BundlePair,
  { scratchDir, signal, onProgress }: Watched & { readonly scratchDir: string },
): Promise<BundleContents> {
  assertBothFull(old, full);
  const [had, has] = [contentsOf(old.manifest), contentsOf(full.manifest)];
  const sizeOf = (digest: string): number => has.get(digest)?.bytes ?? 0;
  const partners = new Map(
    [...partnersOf(old.manifest, full.manifest)].map(([digest, partner]) => {
      const isWorthIt = sizeOf(digest) >= LEAST_BYTES && had.get(partner ?? "")?.bytes !== 0;
      return [digest, isWorthIt ? partner : undefined] as const;
    }),
  );
  const passedFolder = await mkdtemp(join(scratchDir, "old-"));
  const fresh = new Spool(await mkdtemp(join(scratchDir, "new-")));
  const reader = new BaseReader(old, usesOf([...partners.values()]), passedFolder, signal);
  const of = [...partners.keys()].reduce((sum, digest) => sum + sizeOf(digest), 0);
  const [rebuilt, carried]: [Rebuilt[], string[]] = [[], []];
  let done = 0;
  try {
    for await (const { digest, bytes, content } of newContents(full, partners, signal)) {
      const from = partners.get(digest);
      if (from === undefined) {
        if (!fresh.has(digest)) await fresh.put(digest, content);
        carried.push(digest);
      } else {
        const pieces = await piecesOf(content, { reader, from, length: had.get(from)?.bytes ?? 0, fresh });
        await reader.done(from);
        carried.push(...pieces.map(({ patch }) => patch));
        rebuilt.push({ digest, from, pieces });
      }
      done += bytes;
      onProgress({ bytes: done, of });
    }
  } finally {
    await reader.close();
    await rm(passedFolder, { recursive: true, force: true });
  }
  const recipe = renderRecipe({ schema: "trustkern.bundle-delta/1", zstd: process.versions.zstd ?? "none", rebuilt });
  const own = [
    [DELTA_FILES.manifest, Buffer.from(full.manifestBytes)],
    [DELTA_FILES.recipe, recipe],
    [DELTA_FILES.slot, Buffer.from(full.slot)],
  ] as const;
  const sources = [
    ...own.map(([, bytes]) => sourceOf(bytes)),
    ...carried.map((digest) => ({ digest, bytes: fresh.bytes(digest), open: () => fresh.open(digest) })),
  ];
  const { tenant, deployment, profile, toolkit } = full.manifest;
  return {
    ...{ tenant, deployment, profile, toolkit, base: digestOf(old.manifestBytes) },
    ...{ plain: [], images: [] },
    files: own.map(([path, bytes]) => ({ path, digest: digestOf(bytes), executable: false })),
    groups: [[...new Map(sources.map((each) => [each.digest, each])).values()]],
  };
}

/** Plain files and blobs that the old bundle has not. */
async function* newContents(
  full: Bundle,
  partners: ReadonlyMap<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<{ digest: string; bytes: number; content: AsyncIterable<Uint8Array> }> {
  const blobs = new Set(full.manifest.blobs.map(({ digest }) => digest).filter((digest) => partners.has(digest)));
  const plain = new Map(full.manifest.plain.map((each) => [each.digest, each]));
  for (const { digest, bytes, path } of plain.values()) {
    if (blobs.has(digest) || !partners.has(digest)) continue;
    yield { digest, bytes, content: Readable.from([await full.plain(path)]) };
  }
  yield* full.blobs(blobs, { signal });
}

/** A patch for each piece of a new content, put aside. */
async function piecesOf(
  content: AsyncIterable<Uint8Array>,
  { reader, from, length, fresh }: { reader: BaseReader; from: string; length: number; fresh: Spool },
): Promise<Rebuilt["pieces"]> {
  const pieces: Rebuilt["pieces"] = [];
  let at = 0;
  for await (const piece of rechunked(content, PIECE_BYTES)) {
    const offset = Math.max(0, Math.min(at - MARGIN_BYTES, length - WINDOW_BYTES));
    const window = await reader.part(from, offset, WINDOW_BYTES);
    const patch = await makePatch(window, piece);
    const digest = digestOf(patch);
    if (!fresh.has(digest)) await fresh.put(digest, [patch]);
    pieces.push({ bytes: piece.length, patch: digest, offset, length: window.length });
    at += piece.length;
  }
  return pieces;
}

/** How often each stands in a list. */
function usesOf(digests: readonly (string | undefined)[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const digest of digests) if (digest !== undefined) uses.set(digest, (uses.get(digest) ?? 0) + 1);
  return uses;
}

function sourceOf(bytes: Buffer): BlobSource {
  return { digest: digestOf(bytes), bytes: bytes.length, open: () => Readable.from([bytes]) };
}
