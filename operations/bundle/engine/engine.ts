import type { Readable } from "node:stream";

/** What a Docker Engine has, as far as a bundle's images are concerned. */
export interface EngineImages {
  /** Layers by the image's id, lowest first, as diff ids. */
  readonly images: ReadonlyMap<string, readonly string[]>;
  /** Ids by `repository:tag`. */
  readonly tags: ReadonlyMap<string, string>;
}

/** The Docker Engine of a site, as far as bundles need it. */
export interface SiteEngine {
  /** @throws DOCKER_MISSING, DOCKER_UNREACHABLE, DOCKER_FAILED, BUNDLE_IMAGES_REFUSED for an engine whose ids are of another kind */
  readonly look: () => Promise<EngineImages>;
  /**
   * Loads an archive of images, as it streams.
   * @throws BUNDLE_IMAGES_REFUSED, DOCKER_UNREACHABLE, and what the archive fails with
   */
  readonly load: (archive: Readable, signal: AbortSignal) => Promise<void>;
  /** Gives an image that is there another name, which is taken from whoever had it. */
  readonly tag: (id: string, reference: string) => Promise<void>;
  /** Takes a name away, and the image with its last name; one that is in use stays. */
  readonly untag: (reference: string) => Promise<void>;
  /** Stops every container of a state directory, and returns when they have stopped. */
  readonly stop: (stateDir: string) => Promise<void>;
  /** Removes every container and network of a state directory. */
  readonly remove: (stateDir: string) => Promise<void>;
}
