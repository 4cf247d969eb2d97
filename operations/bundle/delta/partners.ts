import type { Manifest } from "../format/manifest.ts";

/** What a bundle has, by digest: blobs, and plain files. */
export function contentsOf({ blobs, plain }: Manifest): ReadonlyMap<string, { readonly bytes: number }> {
  return new Map([...plain, ...blobs].map((each) => [each.digest, each]));
}

/**
 * For everything that the full bundle has and the old one has not, what the old one had in its place: the same file, the same plain
 * file, the configuration or the layer of the same image; of a file whose name is new, one whose name is gone and that is most like it.
 * What is new has none.
 */
export function partnersOf(old: Manifest, full: Manifest): ReadonlyMap<string, string | undefined> {
  const [had, has] = [contentsOf(old), contentsOf(full)];
  const places = new Map([...placesOf(old), ...renamedFiles(old, full)]);
  const partners = new Map<string, string | undefined>();
  for (const [place, digest] of placesOf(full)) {
    if (had.has(digest) || !has.has(digest)) continue;
    partners.set(digest, partners.get(digest) ?? places.get(place));
  }
  return partners;
}

/** Digests by what they are for. */
function placesOf({ plain, files, images }: Manifest): ReadonlyMap<string, string> {
  return new Map([
    ...plain.map(({ path, digest }) => [`plain ${path}`, digest] as const),
    ...files.map(({ path, digest }) => [`file ${path}`, digest] as const),
    ...images.flatMap(({ name, config, layers }) => [
      [`config ${name}`, config] as const,
      ...layers.map((digest, index) => [`layer ${name} ${index}`, digest] as const),
    ]),
  ]);
}

/**
 * The toolkit's modules have a hash of what they import in their names, so that a line that many import renames most of them. By
 * the name without it, the old one whose size is next: a module that changed by a line is about as large as it was.
 */
function renamedFiles(old: Manifest, full: Manifest): ReadonlyMap<string, string> {
  const gone = byStem(old, full);
  const places = new Map<string, string>();
  for (const [stem, files] of byStem(full, old)) {
    const candidates = gone.get(stem) ?? [];
    for (const { path, bytes } of files) {
      const away = (candidate: SizedFile): number => Math.abs(candidate.bytes - bytes);
      const [next] = candidates.toSorted((a, b) => away(a) - away(b));
      if (next !== undefined) places.set(`file ${path}`, next.digest);
    }
  }
  return places;
}

interface SizedFile {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
}

/** Files that only one of two bundles has by their paths, by folder, name without a hash, and ending. */
function byStem(of: Manifest, other: Manifest): ReadonlyMap<string, readonly SizedFile[]> {
  const [sizes, there] = [contentsOf(of), new Set(other.files.map(({ path }) => path))];
  const own = of.files
    .filter(({ path }) => !there.has(path))
    .map(({ path, digest }) => ({ path, digest, bytes: sizes.get(digest)?.bytes ?? 0 }));
  return Map.groupBy(own, ({ path }) => path.replace(/-[0-9A-Z]{8}(?=\.[a-z]+$)/, ""));
}
