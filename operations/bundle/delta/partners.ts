import type { Manifest } from "../format/manifest.ts";

/** What a bundle has, by digest: blobs, and plain files. */
export function contentsOf({ blobs, plain }: Manifest): ReadonlyMap<string, { readonly bytes: number }> {
  return new Map([...plain, ...blobs].map((each) => [each.digest, each]));
}

/**
 * For everything that the full bundle has and the old one has not, what the old one had in its place: the same file, the same plain
 * file, the configuration or the layer of the same image. What is new has none.
 */
export function partnersOf(old: Manifest, full: Manifest): ReadonlyMap<string, string | undefined> {
  const [had, has] = [contentsOf(old), contentsOf(full)];
  const places = placesOf(old);
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
