import { createReadStream, createWriteStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Blobs that are set aside on the disk, so that any part of one can be read. */
export class Spool {
  readonly #folder: string;
  readonly #sizes = new Map<string, number>();

  /** @param folder that is there, and that whoever made it removes */
  constructor(folder: string) {
    this.#folder = folder;
  }

  has(digest: string): boolean {
    return this.#sizes.has(digest);
  }

  /** Takes a blob in; what its source throws is thrown. */
  async put(digest: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    let bytes = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of content) {
        bytes += chunk.length;
        yield chunk;
      }
    };
    const source = Readable.from(counted(), { objectMode: false });
    await pipeline(source, createWriteStream(this.#file(digest), { flags: "wx", mode: 0o600 }));
    this.#sizes.set(digest, bytes);
  }

  /** Of a blob that is in it. */
  bytes(digest: string): number {
    return this.#sizes.get(digest) ?? 0;
  }

  open(digest: string): Readable {
    return createReadStream(this.#file(digest));
  }

  /** A part of a blob, as far as it goes. */
  async slice(digest: string, offset: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.bytes(digest) - offset));
    const into = Buffer.allocUnsafe(wanted);
    const handle = await open(this.#file(digest), "r");
    try {
      for (let done = 0; done < wanted; ) {
        const { bytesRead } = await handle.read(into, done, wanted - done, offset + done);
        if (bytesRead === 0) throw new Error(`a file of the spool became shorter: ${digest}`);
        done += bytesRead;
      }
    } finally {
      await handle.close();
    }
    return into;
  }

  async drop(digest: string): Promise<void> {
    this.#sizes.delete(digest);
    await rm(this.#file(digest), { force: true });
  }

  #file(digest: string): string {
    return join(this.#folder, digest.replace("sha256:", "blob-"));
  }
}
