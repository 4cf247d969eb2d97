import { createWriteStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { stableJson } from "../../../shared/stable-json.ts";
import { bundleFormatErrors } from "./errors.ts";
import { digestOf, type Manifest } from "./manifest.ts";
import type { Bundle } from "./read.ts";
import type { Watched } from "./watched.ts";
import { writeFault } from "./writing/write-faults.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const ARCHITECTURES = { "linux-x64": "amd64", "linux-arm64": "arm64" } as const;

/**
 * Writes the images of a bundle as one OCI image layout (OCI image specification 1.1, Image Layout), for tools that read such folders. A layer lies
 * in it once, uncompressed as in the bundle, so that the digest of a layer is its diff id. On failure nothing stays.
 * @param folder must not be there yet
 * @returns digests of the image manifests, by the references of the images
 * @throws BUNDLE_NO_ENTRY for a delta, BUNDLE_OUTPUT_THERE, BUNDLE_NOT_WRITABLE, BUNDLE_DISK_FULL, and what {@link Bundle.blobs} throws
 */
export async function writeOciLayout(bundle: Bundle, folder: string, watched: Watched): Promise<Map<string, string>> {
  const { manifest } = bundle;
  const sizes = new Map(manifest.blobs.map(({ digest, bytes }) => [digest, bytes]));
  const wanted = new Set(manifest.images.flatMap(({ config, layers }) => [config, ...layers]));
  const manifests = manifest.images.map((image) => ({ image, json: imageManifest(image, sizes) }));
  await mkdir(folder).catch((thrown: unknown) => {
    throw thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST"
      ? bundleFormatErrors.error("BUNDLE_OUTPUT_THERE", `"${folder}" is there already`, { path: folder })
      : writeFault(thrown, folder);
  });
  const blobs = join(folder, "blobs", "sha256");
  const place = (digest: string): string => join(blobs, digest.slice("sha256:".length));
  try {
    await mkdir(blobs, { recursive: true });
    await writeBlobs(bundle, wanted, place, watched);
    for (const { json } of manifests) await writeFile(place(digestOf(json)), json);
    await writeFile(join(folder, "oci-layout"), stableJson({ imageLayoutVersion: "1.0.0" }));
    const index = manifests.map(({ image, json }) => descriptorOf(image.reference, json, manifest.toolkit.platform));
    await writeFile(join(folder, "index.json"), stableJson({ schemaVersion: 2, manifests: index }));
    return new Map(manifests.map(({ image, json }) => [image.reference, digestOf(json)]));
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw writeFault(thrown, folder, watched.signal);
  }
}

async function writeBlobs(
  bundle: Bundle,
  wanted: ReadonlySet<string>,
  place: (digest: string) => string,
  { signal, onProgress }: Watched,
): Promise<void> {
  const all = bundle.manifest.blobs.filter(({ digest }) => wanted.has(digest));
  const of = all.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for await (const { digest, bytes, content } of bundle.blobs(wanted, { signal })) {
    await pipeline(content, createWriteStream(place(digest), { flags: "wx" }), { signal });
    done += bytes;
    onProgress({ bytes: done, of });
  }
}

function imageManifest(
  { name, config, layers }: Manifest["images"][number],
  sizes: ReadonlyMap<string, number>,
): string {
  const descriptor = (mediaType: string, digest: string): object => {
    const size = sizes.get(digest);
    if (size !== undefined) return { mediaType, digest, size };
    throw bundleFormatErrors.error("BUNDLE_NO_ENTRY", `a blob of the image "${name}" is in the base of this delta`, {
      path: name,
      fix: "take the images out of the full bundle, or apply the delta first",
    });
  };
  return stableJson({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map((digest) => descriptor("application/vnd.oci.image.layer.v1.tar", digest)),
  });
}

function descriptorOf(reference: string, json: string, platform: keyof typeof ARCHITECTURES): object {
  return {
    ...{ mediaType: MANIFEST_TYPE, digest: digestOf(json), size: Buffer.byteLength(json) },
    platform: { os: "linux", architecture: ARCHITECTURES[platform] },
    annotations: { "org.opencontainers.image.ref.name": reference },
  };
}
