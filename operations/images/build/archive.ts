import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { type Pack, pack as tarPack } from "tar-stream";
import { stableJson } from "../../../shared/stable-json.ts";
import { addFile, type Layer } from "./layer.ts";
import { IMAGE_USER } from "./rootfs.ts";

/** Label with the hash of everything else that an image is: two images with the same one are the same image. */
export const IDENTITY_LABEL = "org.trustkern.identity";

/** An image that is built. */
export interface BuiltImage {
  readonly name: string;
  readonly reference: string;
  readonly layers: readonly Layer[];
  /** Its configuration (OCI image specification, image configuration), as JSON. */
  readonly config: string;
  readonly identity: string;
}

/** What {@link describeImage} puts together. */
export interface ImageParts {
  readonly name: string;
  readonly reference: string;
  readonly version: string;
  readonly command: readonly string[];
  readonly layers: readonly Layer[];
}

/** An image of layers. Its configuration, and so its digest, follows from the layers and the command alone. */
export function describeImage({ name, reference, version, command, layers }: ImageParts): BuiltImage {
  const labels = { "org.opencontainers.image.title": `trustkern/${name}`, "org.opencontainers.image.version": version };
  const configWith = (more: Readonly<Record<string, string>>): string =>
    stableJson({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: {
        User: IMAGE_USER,
        WorkingDir: "/",
        Env: ["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"],
        Cmd: [...command],
        Labels: { ...labels, ...more },
      },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "trustkern images build" })),
    });
  const identity = createHash("sha256").update(configWith({})).digest("hex");
  return { name, reference, layers, config: configWith({ [IDENTITY_LABEL]: identity }), identity };
}

/**
 * The images as one archive that `docker load` reads; a layer that several share is in it once. Whoever reads it sees an
 * error when a layer cannot be read.
 */
export function imageArchive(images: readonly BuiltImage[]): Readable {
  const tar = tarPack();
  fill(tar, images).catch((thrown) => tar.destroy(thrown));
  return Readable.from(tar);
}

async function fill(tar: Pack, images: readonly BuiltImage[]): Promise<void> {
  const layers = new Map(images.flatMap((image) => image.layers.map((layer) => [layer.diffId, layer.file])));
  for (const [diffId, file] of layers) await addFile(tar, { name: layerName(diffId) }, file);
  for (const { config } of images) tar.entry({ name: configName(config) }, config);
  const manifest = images.map(({ config, reference, layers: own }) => ({
    Config: configName(config),
    RepoTags: [reference],
    Layers: own.map(({ diffId }) => layerName(diffId)),
  }));
  tar.entry({ name: "manifest.json" }, JSON.stringify(manifest));
  tar.finalize();
}

function layerName(diffId: string): string {
  return `${diffId.replace("sha256:", "")}/layer.tar`;
}

function configName(config: string): string {
  return `${createHash("sha256").update(config).digest("hex")}.json`;
}
