import type { Manifest } from "./manifest-schema.ts";

/** Names of entries that the form of a bundle has for itself, in lower case. */
const RESERVED = new Set(["signatures.json", "manifest.json", "sha256sums", "segments"]);

/** What is wrong with a manifest whose members are well formed, a sentence each; found one after the other, as they are asked for. */
export function* manifestFaults(manifest: Manifest): Generator<string, void> {
  const { plain, files, images } = manifest;
  yield* pathFaults("plain", plain);
  for (const { path } of plain) {
    if (!RESERVED.has((path.split("/")[0] ?? "").toLowerCase())) continue;
    yield `plain: "${path}" is a name that the form of a bundle has for itself`;
  }
  yield* pathFaults("files", files);
  yield* orderFaults(
    "images",
    images.map(({ name }) => name),
  );
  // The tag by which a site keeps the images of a version is of their repository.
  for (const each of repeated(images.map(({ reference }) => repositoryOf(reference)))) {
    yield `images: the repository "${each}" stands twice`;
  }
  yield* blobFaults(manifest);
  yield* segmentFaults(manifest);
}

/** Paths have to ascend, and to be apart on a disk that folds case. */
function* pathFaults(where: string, entries: readonly { readonly path: string }[]): Generator<string, void> {
  const paths = entries.map(({ path }) => path);
  yield* orderFaults(where, paths);
  yield* placeFaults(where, paths);
}

function* orderFaults(where: string, names: readonly string[]): Generator<string, void> {
  for (const [index, name] of names.entries()) {
    const before = names[index - 1];
    if (before === undefined || before < name) continue;
    yield before === name ? `${where}: "${name}" stands twice` : `${where}: "${name}" stands after "${before}"`;
  }
}

/** A place is a file or a folder, and is written in one way: what folds to the same name has to be the same folder. */
function* placeFaults(where: string, paths: readonly string[]): Generator<string, void> {
  const files = new Map(paths.map((path) => [path.toLowerCase(), path]));
  const folders = new Map<string, string>();
  for (const folded of repeated(paths.map((path) => path.toLowerCase()))) {
    yield `${where}: "${files.get(folded)}" differs from another path in case alone`;
  }
  for (const path of paths) {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      const folder = path.slice(0, end);
      const folded = folder.toLowerCase();
      const file = files.get(folded);
      if (file !== undefined) yield `${where}: "${file}" is a file and the folder of "${path}"`;
      const other = folders.get(folded) ?? folder;
      if (other !== folder) yield `${where}: the folders "${other}" and "${folder}" differ in case alone`;
      folders.set(folded, other);
    }
  }
}

/** A full bundle has what it names, and nothing else; what a delta leaves out is in its base. */
function* blobFaults({ base, blobs, files, images }: Manifest): Generator<string, void> {
  const present = new Set(blobs.map(({ digest }) => digest));
  for (const digest of repeated(blobs.map(({ digest }) => digest))) yield `blobs: ${digest} stands twice`;
  if (base !== undefined) return;
  const named = new Map([
    ...files.map(({ path, digest }) => [digest, `the file "${path}"`] as const),
    ...images.flatMap(({ name, config, layers }) =>
      [config, ...layers].map((digest) => [digest, `the image "${name}"`] as const),
    ),
  ]);
  for (const [digest, whose] of named) if (!present.has(digest)) yield `blobs: ${digest} of ${whose} is not there`;
  for (const digest of present) if (!named.has(digest)) yield `blobs: nothing names ${digest}`;
}

function* segmentFaults({ blobs, segments }: Manifest): Generator<string, void> {
  let first = 0;
  for (const [index, segment] of segments.entries()) {
    const own = blobs.slice(first, first + segment.blobs);
    first += segment.blobs;
    const rawBytes = own.reduce((sum, { bytes }) => sum + bytes, 0);
    if (own.length === segment.blobs && rawBytes === segment.rawBytes) continue;
    yield `segments[${index}]: ${segment.blobs} blobs of ${segment.rawBytes} bytes; the blobs listed are ${own.length} of ${rawBytes} bytes`;
  }
  if (first < blobs.length) yield `segments: ${blobs.length - first} blobs are in none`;
}

/** A reference without its tag. */
function repositoryOf(reference: string): string {
  return reference.slice(0, reference.lastIndexOf(":"));
}

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = values.filter((value) => seen.size === seen.add(value).size);
  return [...new Set(twice)];
}
