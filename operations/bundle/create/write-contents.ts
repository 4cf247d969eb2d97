import { statSync } from "node:fs";
import { renderSums } from "../format/layout.ts";
import { type Manifest, renderManifest } from "../format/manifest.ts";
import type { OnProgress } from "../format/watched.ts";
import { type BundleContents, packBundle, writeArchive } from "../format/write.ts";

/** Sees how far the work is: one step after the other. */
export interface StepView {
  readonly begin: (what: string) => void;
  readonly onBytes: OnProgress;
}

/** Signs a manifest, and gives the bundle's signatures. */
export type SignManifest<T> = (signed: {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly sums: Uint8Array;
}) => Promise<T & { readonly slot: Uint8Array }>;

/** How a bundle of any kind is written. */
export interface WriteRequest<T> {
  /** The bundle; not there yet. */
  readonly out: string;
  /** Bytes of a part. @default none: one file */
  readonly splitBytes?: number | undefined;
  readonly sign: SignManifest<T>;
  readonly view: StepView;
  readonly signal: AbortSignal;
}

/** A bundle that was written. */
export interface WrittenBundle<T> {
  readonly manifest: Manifest;
  /** The bundle, or its parts. */
  readonly files: readonly string[];
  /** Of all of them. */
  readonly bytes: number;
  readonly signed: T;
}

/**
 * Compresses contents, has the manifest signed, and writes the bundle. Whatever goes wrong, nothing is left at its place.
 * @param scratchDir takes the segments meanwhile; whoever made it removes it
 * @throws what `packBundle`, `sign` and `writeArchive` throw
 */
export async function writeContents<T>(
  contents: BundleContents,
  { out, splitBytes, sign, view, signal }: WriteRequest<T>,
  scratchDir: string,
): Promise<WrittenBundle<T>> {
  const watched = { signal, onProgress: view.onBytes };
  view.begin("compressing");
  const packed = await packBundle(contents, { scratchDir, ...watched });
  const { manifest } = packed;
  const signed = await sign({ manifest, manifestBytes: renderManifest(manifest), sums: renderSums(manifest) });
  view.begin("writing");
  const split = splitBytes === undefined ? {} : { splitBytes };
  const files = await writeArchive(packed, signed.slot, out, { ...split, ...watched });
  return { manifest, files, bytes: files.reduce((sum, file) => sum + statSync(file).size, 0), signed };
}
