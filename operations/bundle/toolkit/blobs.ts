import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { digestOf } from "../format/manifest.ts";
import type { BlobSource } from "../format/write.ts";

/** Bytes in memory as a blob. */
export function blobOfBytes(bytes: Uint8Array): BlobSource {
  return { digest: digestOf(bytes), bytes: bytes.length, open: () => Readable.from([bytes]) };
}

/** A file of this machine as a blob: it is read once to know its digest. */
export async function blobOfFile(file: string): Promise<BlobSource> {
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(createReadStream(file, { highWaterMark: 1_048_576 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { digest: `sha256:${hash.digest("hex")}`, bytes, open: () => createReadStream(file) };
}
