import { messageOf } from "../../../shared/errors.ts";
import { bundledFile } from "../format/file.ts";
import { renderSums } from "../format/layout.ts";
import { type Manifest, parseManifest } from "../format/manifest.ts";
import type { Bundle } from "../format/read.ts";
import type { OnProgress } from "../format/watched.ts";
import { writeArchive } from "../format/write.ts";
import { assertRoom, type FreeBytes } from "../format/writing/room.ts";
import { assertBaseOf } from "./pair.ts";
import { rebuildBundle } from "./rebuild.ts";
import { DELTA_FILES, deltaMalformed, parseRecipe } from "./recipe.ts";
import { roomToRebuild } from "./room.ts";
import { planWays } from "./ways.ts";

/** What signatures are on: the head of a bundle. */
export type SignedHead = Pick<Bundle, "slot" | "manifestBytes" | "sums" | "manifest">;

/** What {@link applyDelta} is handed. */
export interface DeltaJob<T> {
  /** The full bundle that the delta changes; open. */
  readonly old: Bundle;
  /** Open. */
  readonly delta: Bundle;
  /** Throws for a bundle that does not count here, by `decideTrust`. It is asked of the delta, and then of the full bundle. */
  readonly decide: (head: SignedHead) => T;
  /** The full bundle; not there yet. */
  readonly out: string;
  /** Bytes of a part. @default none: one file */
  readonly splitBytes?: number | undefined;
  /**
   * Folder for what is compressed meanwhile, up to the size of the bundle, and old layers that changed, on the disk of the output; whoever
   * made it removes it.
   */
  readonly scratchDir: string;
  /** @default what the file system of `scratchDir` says */
  readonly freeBytes?: FreeBytes | undefined;
  readonly signal: AbortSignal;
  /** Hears each step that begins, and how far it is. */
  readonly view: { readonly begin: (what: string) => void; readonly onBytes: OnProgress };
}

/** A bundle that was rebuilt. */
export interface RebuiltBundle<T> {
  readonly manifest: Manifest;
  /** The bundle, or its parts. */
  readonly files: readonly string[];
  /** What was decided on the full bundle. */
  readonly decision: T;
}

/**
 * Rebuilds the full bundle that a delta leads to: the very bytes that were written where it was made, its signatures included. Nothing
 * of the delta is used before its signatures and every byte of it were verified, and nothing of what it leads to before the signatures on that
 * were, nor written before there is room for all of it. Of the old bundle everything that is used is held against digests of the new one. On failure nothing is left at its place.
 * @throws BUNDLE_DELTA_IS_FULL, BUNDLE_DELTA_NEEDS_FULL, BUNDLE_DELTA_OTHER_BASE, BUNDLE_DELTA_MALFORMED, BUNDLE_DELTA_RUNTIME,
 *   BUNDLE_DISK_FULL, what `decide` and `writeArchive` throw, BUNDLE_DAMAGED, BUNDLE_TRUNCATED, BUNDLE_INFLATES
 */
export async function applyDelta<T>(job: DeltaJob<T>): Promise<RebuiltBundle<T>> {
  const { old, delta, decide, out, splitBytes, scratchDir, freeBytes, signal, view } = job;
  assertBaseOf(old, delta);
  decide(delta);
  const watched = { signal, onProgress: view.onBytes };
  view.begin("verifying");
  await delta.verifyBytes(watched);
  const head = await headIn(delta, signal);
  const decision = decide(head);
  const recipe = parseRecipe(await ownFile(delta, "recipe", signal));
  const { manifest } = head;
  const manifests = { old: old.manifest, delta: delta.manifest, full: manifest };
  const ways = planWays(manifests, recipe);
  await assertRoom(out, scratchDir, roomToRebuild(manifests, ways), freeBytes);
  view.begin("rebuilding");
  const rebuild = { old, delta, full: manifest, ways, zstd: recipe.zstd };
  const packed = await rebuildBundle(rebuild, { scratchDir, ...watched });
  view.begin("writing");
  const split = splitBytes === undefined ? {} : { splitBytes };
  const files = await writeArchive(packed, head.slot, out, { ...split, ...watched });
  return { manifest, files, decision };
}

/** The head of the full bundle. @throws BUNDLE_DELTA_MALFORMED */
async function headIn(delta: Bundle, signal: AbortSignal): Promise<SignedHead> {
  const manifestBytes = await ownFile(delta, "manifest", signal);
  const manifest = manifestOf(manifestBytes);
  const { tenant, deployment } = delta.manifest;
  if (manifest.base !== undefined) throw deltaMalformed("the bundle that it leads to is a delta itself");
  if (manifest.tenant !== tenant || manifest.deployment !== deployment) {
    throw deltaMalformed(`it leads to deployment "${manifest.deployment}" of tenant "${manifest.tenant}"`);
  }
  const slot = await ownFile(delta, "slot", signal);
  return { slot, manifest, manifestBytes, sums: renderSums(manifest) };
}

/** What every delta has. @throws BUNDLE_DELTA_MALFORMED */
async function ownFile(delta: Bundle, what: keyof typeof DELTA_FILES, signal: AbortSignal): Promise<Uint8Array> {
  const path = DELTA_FILES[what];
  if (delta.manifest.files.some((file) => file.path === path)) return bundledFile(delta, path, signal);
  throw deltaMalformed(`it has no file "${path}"`);
}

function manifestOf(bytes: Uint8Array): Manifest {
  try {
    return parseManifest(bytes);
  } catch (thrown) {
    throw deltaMalformed(`"${DELTA_FILES.manifest}": ${messageOf(thrown)}`, thrown);
  }
}
