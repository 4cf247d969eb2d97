import type { Model } from "../../model/boundary.ts";
import { type Deployment, runsUpstream } from "../../model/deployment.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import { inspectImage } from "./docker-images.ts";
import { imagesErrors } from "./errors.ts";
import { KNOWN_IMAGES, localReference, PROBE_IMAGE } from "./known-images.ts";
import type { ImageLock, LockedImage } from "./lock-file.ts";
import { inRegistry, parseReference } from "./reference.ts";
import { resolveDigest } from "./registry.ts";
import type { RegistryContext } from "./registry-http.ts";
import { findSignature } from "./signatures/find-signature.ts";
import type { SigningKey } from "./signatures/signing-key.ts";

/** What a deployment says of where its images come from. */
export type ImageOrigin = Pick<Deployment["images"], "source" | "mirror" | "foreign">;

/** The names of the images that the components of a model need, and that a deployment of Docker is verified with, sorted. */
export function imageNamesOf({ engine, components }: Model): readonly string[] {
  const probe = engine === "docker" ? [PROBE_IMAGE] : [];
  return [...new Set([...components.flatMap(({ image }) => image ?? []), ...probe])].sort();
}

/** What {@link lockImages} is handed. */
export interface LockRequest extends RegistryContext {
  readonly docker: DockerCli;
  readonly images: ImageOrigin;
  /** Every image has to be signed by it; source `registry` alone. @default signatures are not asked for */
  readonly signedBy?: SigningKey | undefined;
}

/**
 * Finds the digest of each image: in its registry, with its signature where a key is named, or in the Docker Engine for those that
 * were made on this machine or loaded from a bundle. An image that cannot be made is left out of a lock of source `packages`.
 * @throws with every image that cannot be locked: IMAGES_UNRESOLVED, or what `resolveDigest` and `findSignature` throw where that is
 * the same for all
 * @throws IMAGES_NAME_UNKNOWN, and what {@link DockerCli} throws
 */
export async function lockImages(request: LockRequest, names: readonly string[], version: string): Promise<ImageLock> {
  const { signedBy } = request;
  const { source } = request.images;
  const images: Record<string, LockedImage> = {};
  const failures: { readonly name: string; readonly error: TrustKernError }[] = [];
  const lockOne = async (name: string): Promise<void> => {
    const reference = referenceOf(request.images, name, version);
    try {
      const digest = await digestOf(request, reference);
      const located = { reference, digest, repository: repositoryOf(request.images, name) };
      const signature = signedBy === undefined ? undefined : await findSignature(request, located, signedBy);
      images[name] = { reference, digest, ...(signature && { signature }) };
    } catch (error) {
      if (!(error instanceof TrustKernError) || error.code.startsWith("DOCKER_")) throw error;
      failures.push({ name, error });
    }
  };
  await Promise.all(names.filter((name) => isAvailable(source, name)).map(lockOne));
  if (failures.length > 0) throw refusal(failures, names.length);
  return { source, ...(signedBy && { signer: signedBy.fingerprint }), images };
}

function refusal(
  failures: readonly { readonly name: string; readonly error: TrustKernError }[],
  count: number,
): TrustKernError {
  const lines = failures.map(({ name, error }) => `\n  ${name}: ${error.message}`).sort();
  const [code, ...others] = new Set(failures.map(({ error }) => error.code));
  const alike = others.length === 0;
  return imagesErrors.error(
    alike ? (code as keyof typeof imagesErrors.entries) : "IMAGES_UNRESOLVED",
    `${failures.length} of ${count} images cannot be locked:${lines.join("")}`,
    alike ? { fix: failures[0]?.error.fix ?? "" } : {},
  );
}

/** Whether a source of images has an image of that name at all. */
export function isAvailable(source: ImageOrigin["source"], name: string): boolean {
  return source !== "packages" || KNOWN_IMAGES[name] === undefined || KNOWN_IMAGES[name].contents !== undefined;
}

/**
 * The reference of an image of a deployment: upstream's or ours, in the mirror where there is one.
 * @throws IMAGES_NAME_UNKNOWN
 */
export function referenceOf(images: ImageOrigin, name: string, version: string): string {
  const known = KNOWN_IMAGES[name];
  if (known === undefined) throw imagesErrors.error("IMAGES_NAME_UNKNOWN", `"${name}" is no image of TrustKern`);
  const local = localReference(name, version);
  if (images.source === "packages") return local;
  // What cannot be made is upstream's, also where all else is ours.
  const theirs = runsUpstream(images) || known.contents === undefined;
  const reference = (theirs ? known.upstream : undefined) ?? local;
  return images.mirror === undefined ? reference : inRegistry(reference, images.mirror);
}

/**
 * The repository of an image without its registry, such as `grafana/loki`: what a signature has to name.
 * @throws IMAGES_NAME_UNKNOWN
 */
export function repositoryOf({ source, foreign }: ImageOrigin, name: string): string {
  return parseReference(referenceOf({ source, foreign }, name, "0")).repository;
}

async function digestOf({ images, docker, ...context }: LockRequest, reference: string): Promise<string> {
  if (images.source === "registry") return resolveDigest(context, reference);
  const present = await inspectImage(docker, reference);
  if (present !== undefined) return present.id;
  throw imagesErrors.error("IMAGES_UNRESOLVED", `the Docker Engine has no ${reference}`, {
    path: reference,
    fix: images.source === "bundle" ? imagesErrors.entries.IMAGES_BUNDLED.fix : "make it with `trustkern images build`",
  });
}
