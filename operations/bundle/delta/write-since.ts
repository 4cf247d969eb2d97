import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type WriteBundle, type WrittenBundle, writeBundle } from "../create/create-bundle.ts";
import { type Bundle, openBundle } from "../format/read.ts";
import { writeFault } from "../format/writing/write-faults.ts";
import { writeDelta } from "./write-delta.ts";

/** A delta that was written. */
export interface WrittenDelta<T> {
  /** The delta, or its parts. */
  readonly files: readonly string[];
  /** Of all of them. */
  readonly bytes: number;
  /** What it leads to, which was written, signed, and removed again. */
  readonly full: WrittenBundle<T>;
}

/**
 * Writes what leads from an old bundle to the one that contents make: that is written and signed first, since its signatures are in the delta.
 * @throws what `writeBundle` and `writeDelta` throw
 */
export async function writeSince<T>(old: Bundle, request: WriteBundle<T>): Promise<WrittenDelta<T>> {
  const { scratch, out, splitBytes, sign, view, signal } = request;
  // By this name, what a killed run leaves is removed by the next one.
  const folder = await mkdir(scratch, { recursive: true })
    .then(() => mkdtemp(join(scratch, `segments-${process.pid}-`)))
    .catch((thrown: unknown) => {
      throw writeFault(thrown, scratch);
    });
  try {
    const written = await writeBundle({ ...request, out: join(folder, "full.tkb"), splitBytes: undefined });
    const full = await openBundle(written.files[0] ?? "");
    try {
      const { files } = await writeDelta({ old, full, out, splitBytes, scratch: folder, sign, view, signal });
      const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
      return { files, bytes: sizes.reduce((sum, size) => sum + size, 0), full: written };
    } finally {
      await full.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
