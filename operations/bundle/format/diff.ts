import type { Manifest } from "./manifest.ts";

/** What of a list is in one manifest and not in the other, by name. */
export interface NamesDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** What makes two bundles different. */
export interface ManifestDiff {
  readonly toolkit: { readonly from: string; readonly to: string };
  readonly files: NamesDiff;
  readonly images: NamesDiff;
  readonly plain: NamesDiff;
  /** Uncompressed bytes of blobs that both have, that only the new one has, and that only the old one has. */
  readonly blobBytes: { readonly kept: number; readonly added: number; readonly removed: number };
}

/** What changed from one manifest to another. */
export function diffManifests(from: Manifest, to: Manifest): ManifestDiff {
  const old = new Set(from.blobs.map(({ digest }) => digest));
  const now = new Set(to.blobs.map(({ digest }) => digest));
  return {
    toolkit: { from: toolkitOf(from), to: toolkitOf(to) },
    files: namesDiff(from.files, to.files, ({ path }) => path),
    images: namesDiff(from.images, to.images, ({ name }) => name),
    plain: namesDiff(from.plain, to.plain, ({ path }) => path),
    blobBytes: {
      kept: bytesOf(to, (digest) => old.has(digest)),
      added: bytesOf(to, (digest) => !old.has(digest)),
      removed: bytesOf(from, (digest) => !now.has(digest)),
    },
  };
}

/** Whether two manifests have the same content. */
export function isSame({ files, images, plain }: ManifestDiff): boolean {
  return [files, images, plain].every(
    ({ added, removed, changed }) => added.length + removed.length + changed.length === 0,
  );
}

function namesDiff<T extends object>(from: readonly T[], to: readonly T[], nameOf: (value: T) => string): NamesDiff {
  const old = new Map(from.map((value) => [nameOf(value), JSON.stringify(value)]));
  const now = new Map(to.map((value) => [nameOf(value), JSON.stringify(value)]));
  return {
    added: [...now.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !now.has(name)),
    changed: [...now].filter(([name, text]) => old.has(name) && old.get(name) !== text).map(([name]) => name),
  };
}

function bytesOf({ blobs }: Manifest, wanted: (digest: string) => boolean): number {
  return blobs.filter(({ digest }) => wanted(digest)).reduce((sum, { bytes }) => sum + bytes, 0);
}

function toolkitOf({ toolkit: { version, platform } }: Manifest): string {
  return `${version} ${platform}`;
}
