import type { Bundle, BundleBlob } from "../format/read.ts";
import { Spool } from "./spool.ts";

/**
 * Reads the old bundle once, from its beginning to its end, for whoever asks for its contents in about the same order: what is passed
 * on the way and is asked for later is set aside on the disk until it was used for the last time.
 */
export class BaseReader {
  readonly #spool: Spool;
  readonly #uses: Map<string, number>;
  readonly #passing: AsyncIterator<BundleBlob>;
  readonly #plain: ReadonlyMap<string, string>;
  readonly #bundle: Bundle;

  /**
   * @param uses how often each content is going to be asked for
   * @param folder for what is set aside
   */
  constructor(bundle: Bundle, uses: ReadonlyMap<string, number>, folder: string, signal: AbortSignal) {
    this.#bundle = bundle;
    this.#spool = new Spool(folder);
    this.#uses = new Map(uses);
    this.#plain = new Map(bundle.manifest.plain.map(({ path, digest }) => [digest, path]));
    const blobs = bundle.manifest.blobs.filter(({ digest }) => uses.has(digest)).map(({ digest }) => digest);
    this.#passing = bundle.blobs(new Set(blobs), { signal });
  }

  /**
   * A content, whole.
   * @throws BUNDLE_DAMAGED, BUNDLE_INFLATES, BUNDLE_CANCELLED
   */
  async *whole(digest: string): AsyncGenerator<Uint8Array> {
    const isLast = this.#uses.get(digest) === 1;
    const found = this.#spool.has(digest) ? undefined : await this.#passTo(digest, isLast);
    yield* found?.content ?? this.#spool.open(digest);
    await this.done(digest);
  }

  /** A part of a content; {@link done} ends its use. @throws BUNDLE_DAMAGED, BUNDLE_INFLATES, BUNDLE_CANCELLED */
  async part(digest: string, offset: number, length: number): Promise<Buffer> {
    if (!this.#spool.has(digest)) await this.#passTo(digest, false);
    return this.#spool.slice(digest, offset, length);
  }

  /** One use less is to come. */
  async done(digest: string): Promise<void> {
    const left = (this.#uses.get(digest) ?? 1) - 1;
    this.#uses.set(digest, left);
    if (left === 0 && this.#spool.has(digest)) await this.#spool.drop(digest);
  }

  /** Lets go of the bundle. */
  async close(): Promise<void> {
    await this.#passing.return?.();
  }

  /** @param asStream gives it as it comes, instead of setting it aside */
  async #passTo(digest: string, asStream: boolean): Promise<BundleBlob | undefined> {
    const path = this.#plain.get(digest);
    if (path !== undefined) {
      await this.#spool.put(digest, [await this.#bundle.plain(path)]);
      return undefined;
    }
    for (;;) {
      const { done, value } = await this.#passing.next();
      if (done === true) throw new Error(`nobody said that ${digest} would be asked for`);
      if (value.digest === digest && asStream) return value;
      await this.#spool.put(value.digest, value.content);
      if (value.digest === digest) return undefined;
    }
  }
}
