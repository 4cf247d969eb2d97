import type { BlobSource } from "../format/write.ts";
import type { KindOfLayer, LayerKind } from "./images.ts";
import { type BundleFile, layerBlob } from "./source.ts";

/** What {@link groupsOf} puts in order. */
export interface ToOrder {
  /** What `start.sh` takes out of the beginning of the first segment, in this order. */
  readonly first: readonly BlobSource[];
  readonly layers: readonly KindOfLayer[];
  /** Configurations of images. */
  readonly configurations: readonly BlobSource[];
  readonly files: readonly BundleFile[];
}

/**
 * The segments of a bundle, in which what is alike stands side by side, within the window of 128 MiB: what the command line runs from
 * with the libraries and services of images, which have the same base; what is small; and programs in Go, which have much in common. The
 * two large ones are compressed at once. Every blob stands once, where it first would.
 */
export function groupsOf({ first, layers, configurations, files }: ToOrder): readonly (readonly BlobSource[])[] {
  return onceEach([
    [...first, ...ofKind(layers, "packages"), ...ofKind(layers, "service"), ...ofKind(layers, "node")],
    [...configurations.toSorted(byDigest), ...filesInOrder(files)],
    ofKind(layers, "tools"),
  ]);
}

/** By size and digest, so that the same layers have the same order. */
function ofKind(layers: readonly KindOfLayer[], kind: LayerKind): readonly BlobSource[] {
  return layers
    .filter((layer) => layer.kind === kind)
    .map(layerBlob)
    .toSorted((a, b) => a.bytes - b.bytes || byDigest(a, b));
}

function filesInOrder(files: readonly BundleFile[]): readonly BlobSource[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map(({ source }) => source);
}

function byDigest(a: BlobSource, b: BlobSource): number {
  return a.digest < b.digest ? -1 : 1;
}

function onceEach(groups: readonly (readonly BlobSource[])[]): readonly (readonly BlobSource[])[] {
  const seen = new Set<string>();
  const isFirst = ({ digest }: BlobSource): boolean => {
    if (seen.has(digest)) return false;
    seen.add(digest);
    return true;
  };
  return groups.map((group) => group.filter(isFirst)).filter(({ length }) => length > 0);
}
