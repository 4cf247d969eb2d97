import { rm } from "node:fs/promises";
import { join } from "node:path";
import { makeScratch, type WriteBundle, writeBundle } from "../create/create-bundle.ts";
import type { WrittenBundle } from "../create/write-contents.ts";
import { type Bundle, openBundle } from "../format/read.ts";
import { writeDelta } from "./write-delta.ts";

/** A delta that was written. */
export interface WrittenDelta<T> extends Pick<WrittenBundle<T>, "files" | "bytes"> {
  /** What it leads to, which was written, signed, and removed again. */
  readonly full: WrittenBundle<T>;
}

/**
 * Writes what leads from an old bundle to the one that contents make: that is written and signed first, since its signatures are in the delta.
 * @throws what `writeBundle` and `writeDelta` throw
 */
export async function writeSince<T>(old: Bundle, request: WriteBundle<T>): Promise<WrittenDelta<T>> {
  const { out, splitBytes, sign, view, signal } = request;
  const scratch = await makeScratch(request.scratch);
  try {
    const written = await writeBundle({ ...request, out: join(scratch, "full.tkb"), splitBytes: undefined });
    const full = await openBundle(written.files[0] ?? "");
    try {
      const { files, bytes } = await writeDelta({ old, full, out, splitBytes, scratch, sign, view, signal });
      return { files, bytes, full: written };
    } finally {
      await full.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
