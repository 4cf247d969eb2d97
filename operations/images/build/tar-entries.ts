import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Extract as Unpack } from "tar-stream";

/** One entry of a tar: a header, and a stream of what it holds. */
export type TarEntry = Unpack extends AsyncIterable<infer E> ? E : never;

/** Shows every entry of a tar, one after the other; what of an entry was not read is skipped. */
export async function eachEntry(tar: Readable, look: (entry: TarEntry) => Promise<void> | void): Promise<void> {
  const unpack = extract();
  const reading = (async () => {
    for await (const entry of unpack) {
      await look(entry);
      entry.resume();
    }
  })();
  await Promise.all([pipeline(tar, unpack), reading]);
}
