import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { UNIT } from "./places.ts";

/** A file of a kit. */
export interface KitFile {
  readonly path: string;
  readonly content: Uint8Array | string | { readonly file: string };
  /** @default 0o644 */
  readonly mode?: number;
}

/** Of every file: the same content is the same bytes, whenever it was made. */
const EPOCH = new Date(0);

/**
 * The kit as a gzipped tar, whose bytes follow from name and files alone: in their order, with fixed times and owners, and
 * their sums last.
 */
export async function packKit(name: string, files: readonly KitFile[]): Promise<Buffer> {
  const tar = pack();
  const packed = buffer(tar.pipe(createGzip({ level: 6 })));
  const add = (path: string, content: Uint8Array, mode: number): void => {
    tar.entry({ name: `${UNIT}-${name}/${path}`, mode, mtime: EPOCH, uid: 0, gid: 0 }, Buffer.from(content));
  };
  const sums: string[] = [];
  for (const { path, content, mode = 0o644 } of files) {
    const bytes = contentOf(content);
    add(path, bytes, mode);
    sums.push(`${createHash("sha256").update(bytes).digest("hex")}  ${path}\n`);
  }
  add("SHA256SUMS", Buffer.from(sums.join("")), 0o644);
  tar.finalize();
  return packed;
}

function contentOf(content: KitFile["content"]): Uint8Array {
  if (typeof content === "string") return Buffer.from(content);
  return content instanceof Uint8Array ? content : readFileSync(content.file);
}
