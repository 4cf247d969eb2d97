import { type BuiltImage, describeImage } from "../../images/build/archive.ts";
import { type BuildContext, layersOf } from "../../images/build/contents.ts";
import type { Layer } from "../../images/build/layer.ts";
import { imagesErrors } from "../../images/errors.ts";
import { type ImageContents, KNOWN_IMAGES, localReference } from "../../images/known-images.ts";
import type { ImageLock } from "../../images/lock-file.ts";
import { digestOf } from "../format/manifest.ts";

/** What a layer has: what is alike compresses well side by side. */
export type LayerKind = "packages" | "node" | "service" | "tools";

/** A layer, and what it has. */
export interface KindOfLayer extends Layer {
  readonly kind: LayerKind;
}

/** The images of a bundle. */
export interface BundleImages {
  readonly images: readonly BuiltImage[];
  /** Each once, in the order in which images first have them. */
  readonly layers: readonly KindOfLayer[];
}

const KINDS: Readonly<Record<ImageContents["kind"], readonly LayerKind[]>> = {
  packages: ["packages"],
  tools: ["packages", "tools"],
  service: ["packages", "node", "service"],
};

/**
 * Makes images, or takes their layers from the cache, without a Docker Engine.
 * @throws IMAGES_NAME_UNKNOWN, and what `layersOf` throws
 */
export async function bundleImages(
  context: BuildContext,
  names: readonly string[],
  version: string,
): Promise<BundleImages> {
  const images: BuiltImage[] = [];
  const layers = new Map<string, KindOfLayer>();
  for (const name of names) {
    const { contents, command = [] } = KNOWN_IMAGES[name] ?? {};
    if (contents === undefined)
      throw imagesErrors.error("IMAGES_NAME_UNKNOWN", `"${name}" is no image that TrustKern makes`);
    context.signal.throwIfAborted();
    const own = await layersOf(context, contents);
    for (const [index, layer] of own.entries()) {
      const kind = KINDS[contents.kind][index] ?? "tools";
      if (!layers.has(layer.diffId)) layers.set(layer.diffId, { ...layer, kind });
    }
    images.push(describeImage({ name, reference: localReference(name, version), version, command, layers: own }));
  }
  return { images, layers: [...layers.values()] };
}

/** The id that a Docker Engine gives an image: the digest of its configuration. */
export function imageId({ config }: Pick<BuiltImage, "config">): string {
  return digestOf(Buffer.from(config));
}

/** The lock that a site deploys with. */
export function bundleLock(images: readonly BuiltImage[]): ImageLock {
  const locked = images.map((image) => [image.name, { reference: image.reference, digest: imageId(image) }] as const);
  return { source: "bundle", images: Object.fromEntries(locked) };
}
