import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type WriteRequest, type WrittenBundle, writeContents } from "../create/write-contents.ts";
import { type BundlePair, deltaContents } from "./make-delta.ts";

/** What {@link writeDelta} is handed; `sign` signs the delta as any bundle, by `signBundle`. */
export interface DeltaRequest<T> extends BundlePair, WriteRequest<T> {
  /** A folder that is there, for what is new, uncompressed. */
  readonly scratch: string;
}

/**
 * Writes what leads from an old bundle to a full one. Whatever goes wrong, nothing is left at its place.
 * @throws what {@link deltaContents} and `writeContents` throw
 */
export async function writeDelta<T>(request: DeltaRequest<T>): Promise<WrittenBundle<T>> {
  const { scratch, view, signal } = request;
  const scratchDir = await mkdtemp(join(scratch, "delta-"));
  try {
    view.begin("comparing");
    const contents = await deltaContents(request, { scratchDir, signal, onProgress: view.onBytes });
    return await writeContents(contents, request, scratchDir);
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}
