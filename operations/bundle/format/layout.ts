import { pack } from "tar-stream";
import { type Manifest, renderManifest } from "./manifest.ts";
import { SLOT_BYTES } from "./slot.ts";

/** Of a tar: headers have it, and contents are filled up to it with zeros. */
export const BLOCK_BYTES = 512;
/** Two blocks of zeros end a tar. */
export const END_BYTES: number = 2 * BLOCK_BYTES;

/** One entry of the archive, in its place. */
export interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly executable: boolean;
  /** What it has to be: these bytes, or bytes of this digest; of the slot, only the size is fixed. */
  readonly content: Uint8Array | string | undefined;
  /** Where its content begins in the archive. */
  readonly offset: number;
}

/** Where everything of an archive lies. */
export interface Layout {
  /** In the order of the archive. */
  readonly entries: readonly Entry[];
  /** Of the whole archive. */
  readonly bytes: number;
}

/** What `SHA256SUMS` says: `sha256sum -c` reads it. It has every plain file and segment, and follows from the manifest. */
export function renderSums(manifest: Manifest): Uint8Array {
  const named = [
    ...manifest.plain,
    ...manifest.segments.map(({ digest }, index) => ({ path: segmentPath(index), digest })),
  ];
  return Buffer.from(named.map(({ path, digest }) => `${digest.slice("sha256:".length)}  ${path}\n`).join(""));
}

/** The archive of a manifest: it follows from the manifest alone, but for the content of the slot. */
export function layoutOf(manifest: Manifest): Layout {
  const manifestBytes = renderManifest(manifest);
  const sums = renderSums(manifest);
  const fixed = (path: string, content: Uint8Array) => ({ path, bytes: content.length, executable: false, content });
  const listed = [
    { path: "signatures.json", bytes: SLOT_BYTES, executable: false, content: undefined },
    fixed("manifest.json", manifestBytes),
    fixed("SHA256SUMS", sums),
    ...manifest.plain.map(({ path, bytes, executable, digest }) => ({ path, bytes, executable, content: digest })),
    ...manifest.segments.map(({ bytes, digest }, index) => ({
      ...{ path: segmentPath(index), bytes, executable: false, content: digest },
    })),
  ];
  let at = 0;
  const entries = listed.map((entry) => {
    const offset = at + BLOCK_BYTES;
    at = offset + entry.bytes + paddingOf(entry.bytes);
    return { ...entry, offset };
  });
  return { entries, bytes: at + END_BYTES };
}

/** How many zeros follow a content. */
export function paddingOf(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** `segments/0001.zst` of the first. */
export function segmentPath(index: number): string {
  return `segments/${String(index + 1).padStart(4, "0")}.zst`;
}

/** What the header of an entry says, for tar-stream: nothing of the machine, the user or the time. */
export function headerFields({ path, bytes, executable }: Pick<Entry, "path" | "bytes" | "executable">) {
  return {
    ...{ name: path, size: bytes, type: "file" as const, mode: executable ? 0o755 : 0o644 },
    ...{ uid: 0, gid: 0, mtime: new Date(0) },
  };
}

/** The one header that an entry may have, as tar-stream writes it. */
export async function renderHeader(entry: Pick<Entry, "path" | "bytes" | "executable">): Promise<Uint8Array> {
  const tar = pack();
  const body = tar.entry(headerFields(entry));
  // It is left without its content, and says so.
  body.on("error", () => undefined);
  for await (const chunk of tar) return Buffer.from(chunk as Uint8Array);
  throw new Error("a tar without a header");
}
