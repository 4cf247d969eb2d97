import type { Manifest } from "../format/manifest.ts";
import { contentsOf } from "./partners.ts";
import { deltaMalformed, PIECE_BYTES, type Rebuilt, type Recipe } from "./recipe.ts";

/** A patch is never much larger than what comes out of it. */
const MAX_PATCH_BYTES = PIECE_BYTES + 1_048_576;

/** The manifests of a base, of a delta to it, and of the bundle that it leads to. */
export interface DeltaManifests {
  readonly old: Manifest;
  readonly delta: Manifest;
  readonly full: Manifest;
}

/** Where each content of the full bundle comes from, and how often each of the old one is used. */
export interface Ways {
  /** Those that are made out of old ones. */
  readonly rebuilt: ReadonlyMap<string, Rebuilt>;
  /** By position, the path in the old bundle of a segment that is the same; undefined for one that has to be compressed. */
  readonly sameSegments: readonly (number | undefined)[];
  /** By position, the path in the old bundle of a plain file that is the same. */
  readonly samePlain: readonly (string | undefined)[];
  readonly uses: ReadonlyMap<string, number>;
  /** What is read of the old bundle, in this order: a content that is taken as it is, whole, or parts of one that is patched. */
  readonly sources: readonly { readonly from: string; readonly isWhole: boolean }[];
}

/**
 * Plans how a full bundle is rebuilt. Everything has one way, and everything that the recipe says is in place.
 * @throws BUNDLE_DELTA_MALFORMED
 */
export function planWays({ old, delta, full }: DeltaManifests, recipe: Recipe): Ways {
  const [had, has, carried] = [contentsOf(old), contentsOf(full), contentsOf(delta)];
  const rebuilt = new Map(recipe.rebuilt.map((each) => [each.digest, each]));
  if (rebuilt.size < recipe.rebuilt.length) throw deltaMalformed("the recipe makes a content twice");
  for (const each of recipe.rebuilt) checkRebuilt(each, has.get(each.digest), had.get(each.from), carried);
  const oldSegments = new Map(old.segments.map(({ digest }, index) => [digest, index]));
  const oldPlain = new Map(old.plain.map(({ digest, path }) => [digest, path]));
  const sameSegments = full.segments.map(({ digest }) => oldSegments.get(digest));
  const samePlain = full.plain.map(({ digest }) => oldPlain.get(digest));
  const uses = new Map<string, number>();
  const sources: Ways["sources"][number][] = [];
  for (const digest of toMake(full, sameSegments, samePlain)) {
    const patched = rebuilt.get(digest)?.from;
    const from = patched ?? (carried.has(digest) ? undefined : digest);
    if (from === undefined) continue;
    if (!had.has(from)) throw deltaMalformed(`neither the delta nor its base has ${digest}`);
    uses.set(from, (uses.get(from) ?? 0) + 1);
    sources.push({ from, isWhole: patched === undefined });
  }
  return { rebuilt, sameSegments, samePlain, uses, sources };
}

/** Every content that is not copied with the segment or plain file that it lies in, as often as it is written. */
function* toMake(full: Manifest, sameSegments: Ways["sameSegments"], samePlain: Ways["samePlain"]): Generator<string> {
  for (const [index, { digest }] of full.plain.entries()) if (samePlain[index] === undefined) yield digest;
  for (const [index, blobs] of blobsBySegment(full).entries()) {
    if (sameSegments[index] === undefined) yield* blobs.map(({ digest }) => digest);
  }
}

/** The blobs of each segment. */
export function blobsBySegment({ blobs, segments }: Manifest): readonly Manifest["blobs"][] {
  let first = 0;
  return segments.map(({ blobs: count }) => {
    first += count;
    return blobs.slice(first - count, first);
  });
}

function checkRebuilt(
  { digest, from, pieces }: Rebuilt,
  made: { readonly bytes: number } | undefined,
  source: { readonly bytes: number } | undefined,
  carried: ReadonlyMap<string, { readonly bytes: number }>,
): void {
  if (made === undefined) throw deltaMalformed(`the recipe makes ${digest}, which the bundle does not have`);
  if (source === undefined) throw deltaMalformed(`the recipe takes ${from}, which the base does not have`);
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  if (bytes !== made.bytes)
    throw deltaMalformed(`the recipe makes ${bytes} bytes of ${digest}, which has ${made.bytes}`);
  for (const { patch, offset, length } of pieces) {
    if (offset + length > source.bytes) throw deltaMalformed(`the recipe takes more of ${from} than there is`);
    const size = carried.get(patch)?.bytes;
    if (size === undefined) throw deltaMalformed(`the delta does not have the patch ${patch}`);
    if (size > MAX_PATCH_BYTES)
      throw deltaMalformed(`the patch ${patch} has ${size} bytes; accepted: ${MAX_PATCH_BYTES}`);
  }
}
