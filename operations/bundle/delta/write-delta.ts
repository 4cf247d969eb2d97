import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { renderSums } from "../format/layout.ts";
import { type Manifest, renderManifest } from "../format/manifest.ts";
import type { OnProgress } from "../format/watched.ts";
import { packBundle, writeArchive } from "../format/write.ts";
import type { SignedHead } from "./apply-delta.ts";
import { type BundlePair, deltaContents } from "./make-delta.ts";

/** What {@link writeDelta} is handed. */
export interface DeltaRequest<S extends { readonly slot: Uint8Array }> extends BundlePair {
  /** The delta; not there yet. */
  readonly out: string;
  /** Bytes of a part. @default none: one file */
  readonly splitBytes?: number | undefined;
  /** A folder that is there, for what is new, uncompressed. */
  readonly scratch: string;
  /** Signs the delta as any bundle, by `signBundle`. */
  readonly sign: (head: Omit<SignedHead, "slot">) => Promise<S>;
  readonly view: { readonly begin: (what: string) => void; readonly onBytes: OnProgress };
  readonly signal: AbortSignal;
}

/**
 * Writes what leads from an old bundle to a full one. Whatever goes wrong, nothing is left at its place.
 * @throws what {@link deltaContents}, `packBundle`, `sign` and `writeArchive` throw
 */
export async function writeDelta<S extends { readonly slot: Uint8Array }>(
  request: DeltaRequest<S>,
): Promise<{ readonly manifest: Manifest; readonly files: readonly string[]; readonly signed: S }> {
  const { old, full, out, splitBytes, scratch, sign, view, signal } = request;
  const scratchDir = await mkdtemp(join(scratch, "delta-"));
  const watched = { signal, onProgress: view.onBytes };
  try {
    view.begin("comparing");
    const contents = await deltaContents({ old, full }, { scratchDir, ...watched });
    view.begin("compressing");
    const packed = await packBundle(contents, { scratchDir, ...watched });
    const { manifest } = packed;
    const signed = await sign({ manifest, manifestBytes: renderManifest(manifest), sums: renderSums(manifest) });
    view.begin("writing");
    const split = splitBytes === undefined ? {} : { splitBytes };
    return { manifest, signed, files: await writeArchive(packed, signed.slot, out, { ...split, ...watched }) };
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}
