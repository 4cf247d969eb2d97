import type { Manifest } from "../format/manifest.ts";
import type { EngineImages } from "./engine.ts";

/** One image of a bundle. */
export type BundleImage = Manifest["images"][number];

/** The name under which a site keeps an image of a version, whatever happens to the image's own. */
export function keptReference({ reference }: BundleImage, version: number): string {
  return `${reference.slice(0, reference.lastIndexOf(":"))}:bundle-${version}`;
}

/** The images that an engine has not, or not under the names of that version. */
export function missingImages(
  images: readonly BundleImage[],
  version: number,
  { images: present, tags }: EngineImages,
): readonly BundleImage[] {
  return images.filter((image) => {
    const named = [image.reference, keptReference(image, version)].every((name) => tags.get(name) === image.config);
    return !present.has(image.config) || !named;
  });
}

/**
 * The layers that have to be sent so that an engine can put these images together: an engine knows a layer by the layers
 * below it, so one is left out where all from the lowest up to it are those of an image that is there.
 */
export function layersToSend(images: readonly BundleImage[], { images: present }: EngineImages): ReadonlySet<string> {
  const chains = new Set([...present.values()].flatMap(chainsOf));
  const absent = images.filter(({ config }) => !present.has(config));
  return new Set(
    absent.flatMap(({ layers }) => layers.filter((_, index) => !chains.has(chainsOf(layers)[index] ?? ""))),
  );
}

/** Each layer with everything below it, as one word. */
function chainsOf(layers: readonly string[]): readonly string[] {
  return layers.map((_, index) => layers.slice(0, index + 1).join(" "));
}
