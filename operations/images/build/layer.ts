import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type Pack, pack as tarPack } from "tar-stream";

/** Of every file of every layer: the same content is the same bytes, whenever it was made. */
const EPOCH = new Date(0);

/** What a layer has at one path. Everything belongs to root, and nobody but root may write it. */
export type LayerEntry =
  | { readonly kind: "directory"; readonly mode?: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "file"; readonly content: Uint8Array; readonly executable?: boolean }
  /** A file of this machine, for what is too large to be held in memory. */
  | { readonly kind: "copy"; readonly from: string; readonly executable?: boolean };

/** Entries by their paths in the image, without a leading slash. */
export type LayerEntries = ReadonlyMap<string, LayerEntry>;

/** A layer as a file of this machine. */
export interface Layer {
  readonly file: string;
  /** `sha256:…` of the uncompressed tar, which is what image specifications call a diff id. */
  readonly diffId: string;
}

/**
 * Writes a layer as a tar whose bytes follow from its entries alone: sorted, with every parent folder, fixed times and owners.
 * @returns its diff id
 */
export async function writeLayer(entries: LayerEntries, file: string): Promise<string> {
  const tar = tarPack();
  const hash = createHash("sha256");
  tar.on("data", (chunk) => hash.update(chunk as Buffer));
  const written = pipeline(tar, createWriteStream(file));
  const filled = fill(tar, withParents(entries)).catch((thrown) => tar.destroy(thrown));
  await Promise.all([written, filled]);
  return `sha256:${hash.digest("hex")}`;
}

async function fill(tar: Pack, entries: LayerEntries): Promise<void> {
  for (const [name, entry] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) await add(tar, name, entry);
  tar.finalize();
}

async function add(tar: Pack, name: string, entry: LayerEntry): Promise<void> {
  const common = { name, mtime: EPOCH, uid: 0, gid: 0 };
  switch (entry.kind) {
    case "directory":
      tar.entry({ ...common, name: `${name}/`, type: "directory", mode: entry.mode ?? 0o755 });
      return;
    case "link":
      tar.entry({ ...common, type: "symlink", linkname: entry.target, mode: 0o777 });
      return;
    case "file":
      tar.entry({ ...common, mode: modeOf(entry) }, Buffer.from(entry.content));
      return;
    case "copy":
      await addFile(tar, { ...common, mode: modeOf(entry) }, entry.from);
  }
}

/** Puts a file of this machine into a tar. */
export async function addFile(
  tar: Pack,
  header: Omit<Parameters<Pack["entry"]>[0], "size">,
  file: string,
): Promise<void> {
  const entry = tar.entry({ ...header, size: statSync(file).size });
  // A fault is the pipeline's to report; the entry tells of it once more when the pipeline no longer listens.
  entry.on("error", () => undefined);
  await pipeline(createReadStream(file), entry);
}

function modeOf({ executable = false }: { readonly executable?: boolean }): number {
  return executable ? 0o755 : 0o644;
}

function withParents(entries: LayerEntries): LayerEntries {
  const all = new Map(entries);
  for (const name of entries.keys()) {
    const parts = name.split("/");
    for (let depth = 1; depth < parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join("/");
      if (!all.has(parent)) all.set(parent, { kind: "directory" });
    }
  }
  return all;
}
