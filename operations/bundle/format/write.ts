import { randomBytes } from "node:crypto";
import { access, constants, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack as tarPack } from "tar-stream";
import { bundleFormatErrors } from "./errors.ts";
import { BLOCK_BYTES, type Entry, headerFields, type Layout, layoutOf, renderSums } from "./layout.ts";
import { renderManifest } from "./manifest.ts";
import { partName } from "./reading/parts.ts";
import { SLOT_BYTES } from "./slot.ts";
import type { Watched } from "./watched.ts";
import { type BlobSource, openPlain, type PlainSource, sourceBytes } from "./writing/contents.ts";
import { removeLeftBehind } from "./writing/left-behind.ts";
import type { PackedBundle } from "./writing/pack-bundle.ts";
import { PartWriter } from "./writing/part-writer.ts";
import { assertRoom } from "./writing/room.ts";
import { syncFolder } from "./writing/sync-folder.ts";
import { writeFault } from "./writing/write-faults.ts";

export type { BundleContents } from "./writing/contents.ts";
export { type PackedBundle, packBundle } from "./writing/pack-bundle.ts";
export type { BlobSource, PlainSource };

/** The first part has to have the whole slot. */
export const MIN_SPLIT_BYTES = 131_072;
const MAX_PARTS = 999;
/** FAT32 takes a file of one byte less, so that `--split 4GiB` has to mean a little less. */
const FAT32_BYTES = 2 ** 32;

/** Behind the name of the output, before the number of the process that writes it. */
const PARTIAL = ".partial-";

/** What an archive is written of: a {@link PackedBundle}, or segments that come from elsewhere. */
export interface ArchiveSources extends Omit<PackedBundle, "segments"> {
  /** Files, or what gives the bytes. */
  readonly segments: readonly (string | { readonly open: () => Readable })[];
}

/** How an archive is written. */
export interface WriteOptions extends Watched {
  /** Size of the parts, 128 KiB at least. @default none: one file */
  readonly splitBytes?: number;
}

/**
 * Writes the archive under names of its own beside the output, down to the disk, and renames it when it is whole; the first part last. On failure
 * nothing stays; of a process that was killed while it wrote the same output, the next one removes it.
 * @returns the files that were written
 * @throws BUNDLE_OUTPUT_THERE, BUNDLE_SPLIT_RANGE, BUNDLE_MALFORMED, BUNDLE_SOURCE_CHANGED, BUNDLE_DISK_FULL, BUNDLE_NOT_WRITABLE,
 * BUNDLE_CANCELLED
 */
export async function writeArchive(
  packed: ArchiveSources,
  slot: Uint8Array,
  out: string,
  options: WriteOptions,
): Promise<readonly string[]> {
  checkSlot(slot);
  const layout = layoutOf(packed.manifest);
  const partBytes = partBytesOf(layout, options.splitBytes);
  const partial = `${out}${PARTIAL}${process.pid}-${randomBytes(4).toString("hex")}`;
  const nameOf = (base: string, index: number): string => (partBytes === undefined ? base : partName(base, index));
  const writer = new PartWriter((index) => nameOf(partial, index), partBytes);
  let named: readonly string[] = [];
  try {
    await checkPlace(out, layout.bytes);
    await writeTar(packed, slot, layout, writer, options);
    const files = writer.files.map((_, index) => nameOf(out, index));
    await checkFree(out);
    for (const [index, file] of [...files.entries()].reverse()) {
      await rename(writer.files[index] ?? "", file);
      named = [...named, file];
    }
    await syncFolder(dirname(out));
    return files;
  } catch (thrown) {
    await Promise.all([...writer.files, ...named].map((file) => rm(file, { force: true })));
    throw writeFault(thrown, out, options.signal);
  }
}

/** Removes what processes left of this output that were killed while they wrote it. */
export function removePartials(out: string): Promise<void> {
  return removeLeftBehind(dirname(out), `${basename(out)}${PARTIAL}`);
}

/**
 * Puts other signatures into a bundle, in place, down to the disk.
 * @param files the bundle, or its parts in order
 * @throws BUNDLE_NOT_WRITABLE, BUNDLE_NOT_FOUND, BUNDLE_MALFORMED
 */
export async function replaceSlot(files: readonly string[], slot: Uint8Array): Promise<void> {
  checkSlot(slot);
  const [first = ""] = files;
  try {
    const handle = await open(first, "r+");
    try {
      await handle.write(slot, 0, slot.length, BLOCK_BYTES);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw writeFault(thrown, first);
  }
}

async function writeTar(
  packed: ArchiveSources,
  slot: Uint8Array,
  layout: Layout,
  writer: PartWriter,
  { signal, onProgress }: WriteOptions,
): Promise<void> {
  const tar = tarPack();
  let done = 0;
  const sink = new Writable({
    write(chunk: Uint8Array, _encoding, callback) {
      writer.write(chunk).then(() => {
        done += chunk.length;
        onProgress({ bytes: done, of: layout.bytes });
        callback();
      }, callback);
    },
  });
  const filled = fill(tar, packed, slot, layout).catch((thrown) => tar.destroy(thrown));
  try {
    await Promise.all([pipeline(tar, sink, { signal }), filled]);
    await writer.finish();
  } catch (thrown) {
    await writer.abandon();
    throw thrown;
  }
}

async function fill(tar: Pack, packed: ArchiveSources, slot: Uint8Array, layout: Layout): Promise<void> {
  const { manifest, plain, segments } = packed;
  const contents: readonly Iterable<Uint8Array>[] = [[slot], [renderManifest(manifest)], [renderSums(manifest)]];
  const sources = [
    ...plain,
    ...segments.map((from) => ({ content: typeof from === "string" ? { file: from } : from })),
  ];
  for (const [index, entry] of layout.entries.entries()) {
    const body = tar.entry(headerFields(entry));
    // A fault is the pipeline's to report; the entry tells of it once more when nobody listens any longer.
    body.on("error", () => undefined);
    const fixed = contents[index];
    const source = sources[index - contents.length];
    if (fixed !== undefined) await pipeline(fixed, body);
    else if (source !== undefined) await pipeline(sourceBytes(blobOf(entry, source)), body);
  }
  tar.finalize();
}

/** What was described is what has to be written. */
function blobOf({ content, bytes }: Entry, source: Pick<PlainSource, "content">): BlobSource {
  return { digest: String(content), bytes, open: () => openPlain(source) };
}

function partBytesOf({ bytes }: Layout, splitBytes: number | undefined): number | undefined {
  if (splitBytes === undefined) return undefined;
  const least = Math.max(MIN_SPLIT_BYTES, Math.ceil(bytes / MAX_PARTS));
  if (splitBytes >= least) return splitBytes === FAT32_BYTES ? FAT32_BYTES - BLOCK_BYTES : splitBytes;
  throw bundleFormatErrors.error(
    "BUNDLE_SPLIT_RANGE",
    `parts of ${splitBytes} bytes are too small for ${bytes} bytes; accepted: ${least} at least`,
    { path: "--split" },
  );
}

function checkSlot({ length }: Uint8Array): void {
  if (length === SLOT_BYTES) return;
  throw bundleFormatErrors.error("BUNDLE_MALFORMED", `signatures of ${length} bytes; accepted: ${SLOT_BYTES}`, {
    path: "signatures.json",
  });
}

/** Before anything is written: an output that is there, or a disk that is too small, is found at once. */
async function checkPlace(out: string, bytes: number): Promise<void> {
  await checkFree(out);
  // What is read-only has no room either, and that is not what is wrong with it.
  await access(dirname(out), constants.W_OK);
  await removePartials(out);
  await assertRoom(out, dirname(out), bytes);
}

/** Parts of an older bundle would be taken for parts of this one. */
async function checkFree(out: string): Promise<void> {
  const name = basename(out);
  const taken = (await readdir(dirname(out))).find(
    (each) => each === name || (each.startsWith(`${name}.`) && /^\.\d{3}$/.test(each.slice(name.length))),
  );
  if (taken === undefined) return;
  const path = join(dirname(out), taken);
  throw bundleFormatErrors.error("BUNDLE_OUTPUT_THERE", `"${path}" is there already`, { path });
}
