import { createHash } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { messageOf, TrustKernError } from "../../../../shared/errors.ts";
import { bundleFormatErrors } from "../errors.ts";
import { type Entry, segmentPath } from "../layout.ts";
import type { Manifest } from "../manifest.ts";
import { decompressor } from "../zstd.ts";
import type { Parts } from "./parts.ts";

/** What is read of a segment at once. */
const CHUNK_BYTES = 262_144;

/** A blob as it comes out of a segment. */
export interface BundleBlob {
  readonly digest: string;
  readonly bytes: number;
  /** Ends without an error only when size and digest were right: whoever stores it may rely on it after its end alone. */
  readonly content: Readable;
}

/** Which blobs of which bundle. */
export interface BlobRequest {
  readonly parts: Parts;
  readonly manifest: Manifest;
  readonly entries: readonly Entry[];
  readonly wanted: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/**
 * Blobs in the order of the bundle, of those segments alone that have one of them.
 * @throws BUNDLE_NO_ENTRY, BUNDLE_DAMAGED, BUNDLE_INFLATES, BUNDLE_CANCELLED
 */
export async function* readBlobs(request: BlobRequest): AsyncGenerator<BundleBlob> {
  const { manifest, entries, wanted } = request;
  const known = new Set(manifest.blobs.map(({ digest }) => digest));
  for (const digest of wanted) {
    if (!known.has(digest)) {
      throw bundleFormatErrors.error("BUNDLE_NO_ENTRY", `the bundle has no blob ${digest}`, { path: digest });
    }
  }
  const places = new Map(entries.map((entry) => [entry.path, entry]));
  let first = 0;
  for (const [index, { blobs: count }] of manifest.segments.entries()) {
    const blobs = manifest.blobs.slice(first, first + count);
    first += count;
    const last = blobs.findLastIndex(({ digest }) => wanted.has(digest));
    const entry = places.get(segmentPath(index));
    if (last >= 0 && entry !== undefined) yield* blobsIn(request, entry, blobs, last);
  }
}

/** The wanted ones of one segment, which is left after the last of them. */
async function* blobsIn(
  { parts, wanted, signal }: BlobRequest,
  entry: Entry,
  blobs: Manifest["blobs"],
  last: number,
): AsyncGenerator<BundleBlob> {
  const unpacked = new Unpacked(parts, entry, signal);
  try {
    for (const { digest, bytes } of blobs.slice(0, last + 1)) {
      if (!wanted.has(digest)) {
        await unpacked.skip(bytes);
        continue;
      }
      const state = { left: bytes };
      const content = Readable.from(checked(unpacked, digest, state), { objectMode: false });
      let failed: unknown;
      content.on("error", (thrown) => {
        failed = thrown;
      });
      const closed = new Promise<void>((resolve) => content.once("close", resolve));
      yield { digest, bytes, content };
      content.destroy();
      await closed;
      if (failed instanceof TrustKernError) throw failed;
      await unpacked.skip(state.left);
    }
    if (last === blobs.length - 1) await unpacked.end();
  } finally {
    unpacked.close();
  }
}

/** The next bytes of a segment, which end only when they are the blob of that digest. */
async function* checked(unpacked: Unpacked, digest: string, state: { left: number }): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  while (state.left > 0) {
    const chunk = await unpacked.take(state.left);
    state.left -= chunk.length;
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest("hex")}` !== digest) {
    throw bundleFormatErrors.error("BUNDLE_DAMAGED", `what was unpacked is not the blob ${digest}`, { path: digest });
  }
}

/** A segment as it is unpacked, a piece at a time. */
class Unpacked {
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #inflate = decompressor();
  #rest: Uint8Array = new Uint8Array(0);

  constructor(parts: Parts, entry: Entry, signal: AbortSignal) {
    this.#path = entry.path;
    this.#signal = signal;
    // What goes wrong in it comes out of the iteration.
    pipeline(Readable.from(stored(parts, entry), { objectMode: false }), this.#inflate, () => undefined);
    this.#chunks = this.#inflate[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** One byte at least, and at most so many. */
  async take(most: number): Promise<Uint8Array> {
    if (this.#rest.length === 0) this.#rest = (await this.#next()) ?? this.#ended();
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; ) left -= (await this.take(left)).length;
  }

  /** There must be nothing more. */
  async end(): Promise<void> {
    if (this.#rest.length === 0 && (await this.#next()) === undefined) return;
    throw bundleFormatErrors.error("BUNDLE_INFLATES", `"${this.#path}" unpacks to more than its blobs`, {
      path: this.#path,
    });
  }

  close(): void {
    this.#inflate.destroy();
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#signal.aborted) throw bundleFormatErrors.error("BUNDLE_CANCELLED", "cancelled while unpacking");
    try {
      const { done, value } = await this.#chunks.next();
      return done === true ? undefined : value;
    } catch (thrown) {
      if (thrown instanceof TrustKernError) throw thrown;
      throw this.#damaged(messageOf(thrown), thrown);
    }
  }

  #ended(): never {
    throw this.#damaged("it ends before its blobs do");
  }

  #damaged(why: string, cause?: unknown): Error {
    return bundleFormatErrors.error("BUNDLE_DAMAGED", `"${this.#path}" cannot be unpacked: ${why}`, {
      path: this.#path,
      cause,
    });
  }
}

/** The bytes of an entry, as they lie in the archive. */
export async function* stored(parts: Parts, { offset, bytes }: Entry): AsyncGenerator<Buffer> {
  for (let at = offset; at < offset + bytes; at += CHUNK_BYTES) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, offset + bytes - at));
    await parts.read(at, chunk);
    yield chunk;
  }
}
