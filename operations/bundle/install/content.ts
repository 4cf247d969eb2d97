import type { Readable } from "node:stream";
import type { Manifest } from "../format/manifest.ts";

/** What an install takes of an open bundle. */
export interface BundleContent {
  /** Of the archive, or of its first part. */
  readonly path: string;
  /** Of all parts together. */
  readonly bytes: number;
  readonly slot: Uint8Array;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  /** Reads every byte and holds it against the manifest. */
  readonly verifyBytes: (how: {
    readonly signal: AbortSignal;
    readonly onProgress: (done: { readonly bytes: number; readonly of: number }) => void;
  }) => Promise<void>;
  /** The blobs that are wanted, in the order of the bundle; each is held against its digest as it is read. */
  readonly blobs: (wanted: ReadonlySet<string>, how: { readonly signal: AbortSignal }) => AsyncIterable<Blob>;
}

/** One blob as it comes out of a bundle. */
export interface Blob {
  readonly digest: string;
  readonly bytes: number;
  /** To be read to its end before the next blob is asked for. */
  readonly content: Readable;
}

/** What somebody trusted has said of the bundle. */
export interface TrustedBundle {
  /** Of the deployment, from 1. */
  readonly version: number;
  /** Digest of the manifest, `sha256:…`. */
  readonly manifest: string;
  /** Decides again, under the site's lock: who held it before may have brought another. Throws what deciding throws. */
  readonly assertStill: () => void;
  /** Remembers that this version was installed, and the roots that came with it. May be done twice. */
  readonly record: () => void;
}
