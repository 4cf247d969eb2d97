import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../../stacks/host/lock.ts";
import { renderSums } from "../format/layout.ts";
import { type Manifest, renderManifest } from "../format/manifest.ts";
import { type BundleContents, packBundle, writeArchive } from "../format/write.ts";
import { writeFault } from "../format/writing/write-faults.ts";

/** Sees how far the work is: one step after the other. */
export interface StepView {
  readonly begin: (what: string) => void;
  readonly onBytes: (done: { readonly bytes: number; readonly of: number }) => void;
}

/** Signs a manifest, and gives the bundle's signatures. */
export type SignManifest<T> = (signed: {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly sums: Uint8Array;
}) => Promise<T & { readonly slot: Uint8Array }>;

/** What {@link writeBundle} is handed. */
export interface WriteBundle<T> {
  readonly contents: BundleContents;
  /** The bundle; not there yet. */
  readonly out: string;
  /** Bytes of a part. @default none: one file */
  readonly splitBytes: number | undefined;
  /** Folder of this machine's disk that takes the segments meanwhile, about the size of the bundle. */
  readonly scratch: string;
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
 * @throws what `packBundle`, `sign` and `writeArchive` throw
 */
export async function writeBundle<T>(request: WriteBundle<T>): Promise<WrittenBundle<T>> {
  const { contents, out, splitBytes, sign, view, signal } = request;
  const scratchDir = makeScratch(request.scratch);
  try {
    const watched = { signal, onProgress: view.onBytes };
    view.begin("compressing");
    const packed = await packBundle(contents, { scratchDir, ...watched });
    const { manifest } = packed;
    const signed = await sign({ manifest, manifestBytes: renderManifest(manifest), sums: renderSums(manifest) });
    view.begin("writing");
    const split = splitBytes === undefined ? {} : { splitBytes };
    const files = await writeArchive(packed, signed.slot, out, { ...split, ...watched });
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
    return { manifest, files, bytes, signed };
  } finally {
    rmSync(scratchDir, { recursive: true, force: true });
  }
}

/** Beside those of others that run; of one that was killed, its segments are removed. */
function makeScratch(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      const [, pid] = /^segments-(\d+)-/.exec(name) ?? [];
      if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(folder, `segments-${process.pid}-`));
  } catch (thrown) {
    throw writeFault(thrown, folder);
  }
}
