import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, openBundle } from "../format/read.ts";
import { blobOf, TEST_SLOT, testContents, testFolder, UNWATCHED } from "../format/test-bundle.ts";
import { type BlobSource, type BundleContents, packBundle, writeArchive } from "../format/write.ts";
import { applyDelta, type DeltaJob, type SignedHead } from "./apply-delta.ts";
import { deltaContents } from "./make-delta.ts";

/** For tests: bytes that no compression makes fewer, the same for the same name. */
export function noise(name: string, bytes = 100_000): Buffer {
  return createHash("shake256", { outputLength: bytes }).update(name).digest();
}

/** For tests: a bundle with an image for each of these layers, which all have a first one in common, in this order. */
export function layeredContents(layers: Readonly<Record<string, Uint8Array>>, note = "a"): BundleContents {
  const base = testContents(note);
  const [common] = base.images[0]?.layers ?? [];
  const sources = Object.entries(layers).map(([name, bytes]) => [name, blobOf(bytes)] as const);
  const config = blobOf('{"os":"linux"}');
  const images = sources.map(([name, { digest }]) => {
    return { name, reference: `trustkern/${name}:0.1.0`, config: config.digest, layers: [common ?? "", digest] };
  });
  const known = new Set(base.groups.flat().map(({ digest }) => digest));
  const fresh = new Map(sources.map(([, source]) => [source.digest, source]));
  const group: BlobSource[] = [...fresh.values()].filter(({ digest }) => !known.has(digest));
  return {
    ...base,
    images: [...base.images, ...images],
    groups: [...base.groups, ...(group.length > 0 ? [group] : [])],
  };
}

const opened: Bundle[] = [];

/** For tests: writes a bundle and opens it. */
export async function openedBundle(contents: BundleContents, slot: Uint8Array = TEST_SLOT): Promise<Bundle> {
  const out = join(testFolder(), "site.tkb");
  await writeArchive(await packBundle(contents, { ...UNWATCHED, scratchDir: testFolder() }), slot, out, UNWATCHED);
  return reopened(out);
}

/** For tests: opens a bundle, until {@link closeBundles}. */
export async function reopened(path: string): Promise<Bundle> {
  const bundle = await openBundle(path);
  opened.push(bundle);
  return bundle;
}

/** For tests: call it after each. */
export async function closeBundles(): Promise<void> {
  await Promise.all(opened.splice(0).map((bundle) => bundle.close()));
}

/** For tests: the delta between two bundles, open. */
export async function deltaBetween(old: Bundle, full: Bundle): Promise<Bundle> {
  return openedBundle(await deltaContents({ old, full }, { ...UNWATCHED, scratchDir: testFolder() }));
}

/** For tests: applies a delta into a folder of its own. */
export async function applied(
  old: Bundle,
  delta: Bundle,
  changes: Partial<DeltaJob<SignedHead>> = {},
): Promise<{ readonly files: readonly string[]; readonly folder: string }> {
  const folder = testFolder();
  const [scratchDir, place] = [join(folder, "scratch"), join(folder, "place")];
  mkdirSync(scratchDir);
  mkdirSync(place);
  const view = { begin: () => undefined, onBytes: () => undefined };
  const job = { old, delta, out: join(place, "full.tkb"), scratchDir, signal: UNWATCHED.signal, view };
  const { files } = await applyDelta({ ...job, decide: (head: SignedHead) => head, ...changes });
  return { files, folder: place };
}
