import type { EngineImages, SiteEngine } from "../engine/engine.ts";
import { loadArchive } from "../engine/load-archive.ts";
import { type BundleImage, keptReference, layersToSend, missingImages } from "../engine/missing.ts";
import type { BundleContent } from "./content.ts";
import { siteErrors } from "./errors.ts";

/** What {@link loadMissing} is handed. */
export interface Loading {
  readonly bundle: BundleContent;
  readonly version: number;
  readonly engine: SiteEngine;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/**
 * Gives an engine the images of a bundle that it lacks, straight out of the archive, and of those the layers that it lacks.
 * @throws BUNDLE_IMAGES_REFUSED, BUNDLE_SITE_CANCELLED, DOCKER_UNREACHABLE, and what the bundle's reader throws
 */
export async function loadMissing({ bundle, version, engine, signal, onProgress }: Loading): Promise<void> {
  const { images } = bundle.manifest;
  const before = await engine.look();
  const absent = missingImages(images, version, before).filter(({ config }) => !before.images.has(config));
  if (absent.length > 0) {
    const layers = layersToSend(absent, before);
    onProgress(`loading ${absent.map(({ name }) => name).join(", ")}: ${layers.size} layers`);
    const wanted = new Set([...layers, ...absent.map(({ config }) => config)]);
    await engine.load(loadArchive(bundle.blobs(wanted, { signal }), absent, version), signal);
  }
  await nameImages(engine, images, version);
}

/**
 * Gives images of a version their names, also where another version's have them, and holds that all are there.
 * @throws BUNDLE_IMAGES_REFUSED
 */
export async function nameImages(engine: SiteEngine, images: readonly BundleImage[], version: number): Promise<void> {
  const found = await engine.look();
  const gone = images.filter(({ config }) => !found.images.has(config));
  if (gone.length > 0) {
    const what = gone.map(({ reference, config }) => `${reference} with ${config}`).join("; ");
    throw siteErrors.error("BUNDLE_IMAGES_REFUSED", `the Docker Engine does not have ${what}`);
  }
  for (const image of images) {
    for (const name of wantedNames(image, version, found)) await engine.tag(image.config, name);
  }
}

function wantedNames(image: BundleImage, version: number, { tags }: EngineImages): readonly string[] {
  return [image.reference, keptReference(image, version)].filter((name) => tags.get(name) !== image.config);
}
