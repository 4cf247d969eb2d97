import { z } from "zod";
import { imagesErrors } from "../errors.ts";
import { DIGEST, parseReference } from "../reference.ts";
import { readBlob, readManifest } from "../registry.ts";
import type { RegistryContext } from "../registry-http.ts";
import { type ImageSignature, judgeSignature } from "./judge.ts";
import type { SigningKey } from "./signing-key.ts";

const PAYLOAD_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";
const ANNOTATION = "dev.cosignproject.cosign/signature";
/** More signers than an image has. */
const MAX_SIGNATURES = 16;
const MAX_PAYLOAD_BYTES = 65_536;

const layerSchema = z.object({
  mediaType: z.literal(PAYLOAD_TYPE),
  digest: z.string().regex(DIGEST),
  size: z.int().min(1).max(MAX_PAYLOAD_BYTES),
  annotations: z.object({ [ANNOTATION]: z.string().min(1).max(1024) }),
});
// Layers of other kinds, such as those of an attestation, are none of ours.
const manifestSchema = z.object({ layers: z.array(z.unknown()).max(MAX_SIGNATURES) });

/** An image in its registry, at a digest. */
export interface LocatedImage {
  /** `[host/]repository:tag`. */
  readonly reference: string;
  readonly digest: string;
  /** What a signature has to name: the repository without its registry. */
  readonly repository: string;
}

/**
 * The signature of an image that holds: by that key, for that digest, of that repository. It is looked for where cosign puts it,
 * at the tag `sha256-<hex>.sig` beside the image (cosign's signature specification, "Tag-based Discovery").
 * @throws IMAGES_UNSIGNED where there is none, what {@link readManifest} throws
 */
export async function findSignature(
  context: RegistryContext,
  { reference, digest, repository }: LocatedImage,
  key: SigningKey,
): Promise<ImageSignature> {
  const unsigned = (why: string): Error =>
    imagesErrors.error("IMAGES_UNSIGNED", `${reference} at ${digest}: ${why}`, { path: reference });
  const beside = { ...parseReference(reference), tag: `${digest.replace(":", "-")}.sig` };
  const manifest = await readManifest(context, beside);
  if (manifest === undefined) throw unsigned("its registry has no signature of it");
  const layers = layersOf(manifest.bytes);
  if (layers.length === 0) throw unsigned("what lies in the place of its signature is none");
  const reasons: string[] = [];
  for (const { digest: blob, annotations } of layers) {
    const payload = (await readBlob(context, beside, blob)).toString("base64");
    const found = { payload, signature: annotations[ANNOTATION] };
    const why = judgeSignature(found, { repository, digest }, key);
    if (why === undefined) return found;
    reasons.push(why);
  }
  throw unsigned([...new Set(reasons)].join("; "));
}

function layersOf(bytes: Buffer): readonly z.output<typeof layerSchema>[] {
  const manifest = manifestSchema.safeParse(JSON.parse(bytes.toString("utf8")));
  if (!manifest.success) return [];
  return manifest.data.layers.flatMap((layer) => layerSchema.safeParse(layer).data ?? []);
}
