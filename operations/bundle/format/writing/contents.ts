import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { messageOf, TrustKernError } from "../../../../shared/errors.ts";
import { bundleFormatErrors } from "../errors.ts";
import type { Manifest } from "../manifest.ts";

/** Bytes that become a blob: a layer in the cache, a configuration, a file. */
export interface BlobSource {
  /** `sha256:…` */
  readonly digest: string;
  readonly bytes: number;
  readonly open: () => Readable;
}

/** A file that lies in the archive as it is. */
export interface PlainSource {
  readonly path: string;
  readonly executable: boolean;
  readonly content: Uint8Array | { readonly file: string } | { readonly open: () => Readable };
}

/** What a bundle is made of. Lists may be in any order, but for groups: each is one segment, and blobs lie in it as they stand. */
export interface BundleContents
  extends Pick<Manifest, "tenant" | "deployment" | "profile" | "toolkit" | "base" | "files" | "images"> {
  readonly plain: readonly PlainSource[];
  readonly groups: readonly (readonly BlobSource[])[];
}

/**
 * The bytes of a source, which end only when they are what it says.
 * @throws BUNDLE_SOURCE_CHANGED, and errors of ours that the source throws
 */
export async function* sourceBytes({ digest, bytes, open }: BlobSource): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let read = 0;
  try {
    for await (const chunk of open()) {
      read += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  } catch (thrown) {
    if (thrown instanceof TrustKernError) throw thrown;
    throw changed(digest, `it cannot be read: ${messageOf(thrown)}`, thrown);
  }
  if (read !== bytes) throw changed(digest, `${read} bytes were read, and it has ${bytes}`);
  if (`sha256:${hash.digest("hex")}` !== digest) throw changed(digest, "other bytes were read");
}

/** The bytes of a plain file. */
export function openPlain({ content }: Pick<PlainSource, "content">): Readable {
  if (content instanceof Uint8Array) return Readable.from([content]);
  return "open" in content ? content.open() : createReadStream(content.file);
}

function changed(what: string, why: string, cause?: unknown): Error {
  return bundleFormatErrors.error("BUNDLE_SOURCE_CHANGED", `${what} is not what it was: ${why}`, { path: what, cause });
}
