import { createReadStream, readFileSync, statSync } from "node:fs";
import type { Layer } from "../../images/build/layer.ts";
import type { BlobSource } from "../format/write.ts";
import { blobOfBytes } from "../toolkit/blobs.ts";
import type { ToolkitFile } from "../toolkit/toolkit-file.ts";

/** A file that a bundle puts on a disk, below the folder of one version of a site, and where its bytes come from. */
export type BundleFile = ToolkitFile;

/** A file of a bundle with bytes that are at hand. */
export function fileOf(path: string, content: string | Uint8Array): BundleFile {
  return { path, executable: false, source: blobOfBytes(Buffer.from(content)) };
}

/** A file of a bundle with the bytes of one of this machine, which is small. */
export function copyOf(path: string, from: string): BundleFile {
  return fileOf(path, readFileSync(from));
}

/** A layer of the cache, as a blob; whoever reads it holds it against its digest. */
export function layerBlob({ diffId, file }: Layer): BlobSource {
  return { digest: diffId, bytes: statSync(file).size, open: () => createReadStream(file) };
}
