import type { SiteEngine } from "../engine/engine.ts";
import { loadArchive } from "../engine/load-archive.ts";
import { type BundleImage, keptReference, layersToSend, missingImages } from "../engine/missing.ts";
import type { BundleContent } from "./content.ts";
import { siteErrors } from "./errors.ts";

/** What {@link loadMissing} is handed. */
export interface Loading {
  readonly bundle: BundleContent;
  readonly version: number;
  /** Whether they get their own names as well, which those of the version that runs may have. */
  readonly own: boolean;
  readonly engine: SiteEngine;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/**
 * Gives an engine the images of a bundle that it lacks, straight out of the archive, and of those the layers that it lacks.
 * @throws BUNDLE_IMAGES_REFUSED, BUNDLE_SITE_CANCELLED, DOCKER_UNREACHABLE, and what the bundle's reader throws
 */
export async function loadMissing({ bundle, version, own, engine, signal, onProgress }: Loading): Promise<void> {
  const { images } = bundle.manifest;
  const before = await engine.look();
  const absent = missingImages(images, version, before).filter(({ config }) => !before.images.has(config));
  if (absent.length > 0) {
    const layers = layersToSend(absent, before);
    onProgress(`loading ${absent.map(({ name }) => name).join(", ")}: ${layers.size} layers`);
    const wanted = new Set([...layers, ...absent.map(({ config }) => config)]);
    await engine.load(loadArchive(bundle.blobs(wanted, { signal }), absent, version), signal);
  }
  await nameImages(engine, images, version, own);
}

/**
 * Gives images of a version their names, also where another version's have them, and holds that all are there.
 * @param own whether their own names, or only those under which the version keeps them
 * @throws BUNDLE_IMAGES_REFUSED
 */
export async function nameImages(
  engine: SiteEngine,
  images: readonly BundleImage[],
  version: number,
  own: boolean,
): Promise<void> {
  const found = await engine.look();
  const gone = images.filter(({ config }) => !found.images.has(config));
  if (gone.length > 0) {
    const what = gone.map(({ reference, config }) => `${reference} with ${config}`).join("; ");
    throw siteErrors.error("BUNDLE_IMAGES_REFUSED", `the Docker Engine does not have ${what}`);
  }
  for (const image of images) {
    const names = [keptReference(image, version), ...(own ? [image.reference] : [])];
    for (const name of names.filter((one) => found.tags.get(one) !== image.config))
      await engine.tag(image.config, name);
  }
}
