import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack as tarPack } from "tar-stream";
import type { Blob } from "../install/content.ts";
import { type BundleImage, keptReference } from "./missing.ts";

/**
 * An archive that `docker load` reads, made of blobs as they come out of a bundle: nothing of it lies on a disk here. Whoever
 * reads it sees an error when a blob is not what the bundle says.
 * @param blobs configurations of all `images`, and of their layers those that the engine lacks
 * @param version under whose name the images are kept
 */
export function loadArchive(blobs: AsyncIterable<Blob>, images: readonly BundleImage[], version: number): Readable {
  const tar = tarPack();
  fill(tar, blobs, images, version).catch((thrown) => tar.destroy(thrown));
  return Readable.from(tar);
}

async function fill(
  tar: Pack,
  blobs: AsyncIterable<Blob>,
  images: readonly BundleImage[],
  version: number,
): Promise<void> {
  const configs = new Set(images.map(({ config }) => config));
  for await (const { digest, bytes, content } of blobs) {
    const name = configs.has(digest) ? configName(digest) : layerName(digest);
    await pipeline(content, tar.entry({ name, size: bytes, mode: 0o644, mtime: new Date(0) }));
  }
  const manifest = images.map((image) => ({
    Config: configName(image.config),
    // Its own name is given where the version takes its place: until then it is that of the version that runs.
    RepoTags: [keptReference(image, version)],
    Layers: image.layers.map(layerName),
  }));
  tar.entry({ name: "manifest.json", mtime: new Date(0) }, JSON.stringify(manifest));
  tar.finalize();
}

function layerName(digest: string): string {
  return `${digest.slice("sha256:".length)}/layer.tar`;
}

function configName(digest: string): string {
  return `${digest.slice("sha256:".length)}.json`;
}
