import type { Manifest } from "./manifest-schema.ts";

/** Names of entries that the form of a bundle has for itself, in lower case. */
const RESERVED = new Set(["signatures.json", "manifest.json", "sha256sums", "segments"]);

/** What is wrong with a manifest whose members are well formed, a sentence each; empty when nothing is. */
export function manifestFaults(manifest: Manifest): readonly string[] {
  const { plain, files, images } = manifest;
  return [
    ...pathFaults("plain", plain),
    ...plain
      .filter(({ path }) => RESERVED.has((path.split("/")[0] ?? "").toLowerCase()))
      .map(({ path }) => `plain: "${path}" is a name that the form of a bundle has for itself`),
    ...pathFaults("files", files),
    ...orderFaults(
      "images",
      images.map(({ name }) => name),
    ),
    ...repeated(images.map(({ reference }) => reference)).map((each) => `images: the reference "${each}" stands twice`),
    ...blobFaults(manifest),
    ...segmentFaults(manifest),
  ];
}

/** Paths have to ascend, and to be apart on a disk that folds case. */
function pathFaults(where: string, entries: readonly { readonly path: string }[]): readonly string[] {
  const paths = entries.map(({ path }) => path);
  return [...orderFaults(where, paths), ...placeFaults(where, paths)];
}

function orderFaults(where: string, names: readonly string[]): readonly string[] {
  return names.flatMap((name, index) => {
    const before = names[index - 1];
    if (before === undefined || before < name) return [];
    return [before === name ? `${where}: "${name}" stands twice` : `${where}: "${name}" stands after "${before}"`];
  });
}

/** A place is a file or a folder, and is written in one way: what folds to the same name has to be the same folder. */
function placeFaults(where: string, paths: readonly string[]): readonly string[] {
  const files = new Map(paths.map((path) => [path.toLowerCase(), path]));
  const folders = new Map<string, string>();
  const faults = repeated(paths.map((path) => path.toLowerCase())).map(
    (folded) => `${where}: "${files.get(folded)}" differs from another path in case alone`,
  );
  for (const path of paths) {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      const folder = path.slice(0, end);
      const folded = folder.toLowerCase();
      const file = files.get(folded);
      if (file !== undefined) faults.push(`${where}: "${file}" is a file and the folder of "${path}"`);
      const other = folders.get(folded) ?? folder;
      if (other !== folder) faults.push(`${where}: the folders "${other}" and "${folder}" differ in case alone`);
      folders.set(folded, other);
    }
  }
  return faults;
}

/** A full bundle has what it names, and nothing else; what a delta leaves out is in its base. */
function blobFaults({ base, blobs, files, images }: Manifest): readonly string[] {
  const present = new Set(blobs.map(({ digest }) => digest));
  const faults = repeated(blobs.map(({ digest }) => digest)).map((digest) => `blobs: ${digest} stands twice`);
  if (base !== undefined) return faults;
  const named = new Map([
    ...files.map(({ path, digest }) => [digest, `the file "${path}"`] as const),
    ...images.flatMap(({ name, config, layers }) =>
      [config, ...layers].map((digest) => [digest, `the image "${name}"`] as const),
    ),
  ]);
  for (const [digest, whose] of named) {
    if (!present.has(digest)) faults.push(`blobs: ${digest} of ${whose} is not there`);
  }
  for (const digest of present) if (!named.has(digest)) faults.push(`blobs: nothing names ${digest}`);
  return faults;
}

function segmentFaults({ blobs, segments }: Manifest): readonly string[] {
  const faults: string[] = [];
  let first = 0;
  for (const [index, segment] of segments.entries()) {
    const own = blobs.slice(first, first + segment.blobs);
    first += segment.blobs;
    const rawBytes = own.reduce((sum, { bytes }) => sum + bytes, 0);
    if (own.length === segment.blobs && rawBytes === segment.rawBytes) continue;
    faults.push(
      `segments[${index}]: ${segment.blobs} blobs of ${segment.rawBytes} bytes; the blobs listed are ${own.length} of ${rawBytes} bytes`,
    );
  }
  if (first < blobs.length) faults.push(`segments: ${blobs.length - first} blobs are in none`);
  return faults;
}

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = values.filter((value) => seen.size === seen.add(value).size);
  return [...new Set(twice)];
}
