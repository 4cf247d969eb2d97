import { type FileHandle, open } from "node:fs/promises";

/** Writes one stream of bytes to one file, or to parts of one size, each down to the disk. */
export class PartWriter {
  readonly #nameOf: (index: number) => string;
  readonly #partBytes: number;
  readonly #files: string[] = [];
  #handle: FileHandle | undefined;
  #inPart = 0;
  #busy: Promise<void> = Promise.resolve();

  /** @param partBytes size of the parts; without, one file takes everything */
  constructor(nameOf: (index: number) => string, partBytes: number | undefined) {
    this.#nameOf = nameOf;
    this.#partBytes = partBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Those that were begun. */
  get files(): readonly string[] {
    return this.#files;
  }

  /** One at a time. */
  write(bytes: Uint8Array): Promise<void> {
    this.#busy = this.#write(bytes);
    return this.#busy;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      if (this.#inPart === this.#partBytes) await this.finish();
      const handle = this.#handle ?? (await this.#begin());
      const wanted = Math.min(bytes.length - from, this.#partBytes - this.#inPart);
      const { bytesWritten } = await handle.write(bytes, from, wanted);
      from += bytesWritten;
      this.#inPart += bytesWritten;
    }
  }

  /** Closes the part that is open; its bytes are on the disk. */
  async finish(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#inPart = 0;
    try {
      await handle?.sync();
    } finally {
      await handle?.close();
    }
  }

  /** Closes what is open, whatever becomes of it. */
  async abandon(): Promise<void> {
    await this.#busy.catch(() => undefined);
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  async #begin(): Promise<FileHandle> {
    const file = this.#nameOf(this.#files.length);
    const handle = await open(file, "wx", 0o644);
    this.#files.push(file);
    this.#handle = handle;
    return handle;
  }
}
