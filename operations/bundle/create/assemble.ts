import type { Deployment } from "../../../model/deployment.ts";
import type { BuiltImage } from "../../images/build/archive.ts";
import type { BundleContents } from "../format/write.ts";
import { blobOfBytes } from "../toolkit/blobs.ts";
import type { PreparedToolkit } from "../toolkit/prepare.ts";
import { type BundleImages, imageId } from "./images.ts";
import { groupsOf } from "./order.ts";
import type { BundleFile } from "./source.ts";

/** Everything that a bundle is made of. */
export interface BundleParts {
  readonly deployment: Deployment;
  /** Of the toolkit. */
  readonly version: string;
  readonly images: Pick<BundleImages, "images" | "layers">;
  readonly files: readonly BundleFile[];
  readonly toolkit: Pick<PreparedToolkit, "platform" | "files" | "plain" | "first">;
}

/** What is packed of these parts: every blob once, in the order that suits who takes it out again. */
export function assemble({ deployment, version, images, files, toolkit }: BundleParts): BundleContents {
  const all = [...files, ...toolkit.files];
  return {
    ...{ tenant: deployment.tenant, deployment: deployment.name, profile: deployment.profile },
    toolkit: { version, platform: toolkit.platform },
    files: all.map(({ path, executable, source }) => ({ path, digest: source.digest, executable })),
    images: images.images.map(described),
    plain: toolkit.plain,
    groups: groupsOf({
      ...{ first: toolkit.first, layers: images.layers, files },
      configurations: images.images.map(({ config }) => blobOfBytes(Buffer.from(config))),
    }),
  };
}

function described(image: BuiltImage): BundleContents["images"][number] {
  const { name, reference, layers } = image;
  return { name, reference, config: imageId(image), layers: layers.map(({ diffId }) => diffId) };
}
