import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { digestOf } from "../format/manifest.ts";

/** What is read at once. */
const CHUNK_BYTES = 1_048_576;

/** `sha256:…` of a file, of which little is in memory at a time. @throws what the file system throws */
export async function digestOfFile(file: string): Promise<string> {
  // A version has hundreds of small files, and each way to the thread pool and back takes longer than one of them.
  if (statSync(file).size <= CHUNK_BYTES) return digestOf(readFileSync(file));
  const handle = await open(file, "r");
  try {
    return await digestOfLarge(handle);
  } finally {
    await handle.close();
  }
}

/** Reads the next piece while it hashes the one before, in two buffers that are used over and over. */
async function digestOfLarge(handle: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  let [current, next] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  for (let { bytesRead } = await handle.read(current); bytesRead > 0; ) {
    const following = handle.read(next);
    hash.update(current.subarray(0, bytesRead));
    ({ bytesRead } = await following);
    [current, next] = [next, current];
  }
  return `sha256:${hash.digest("hex")}`;
}
