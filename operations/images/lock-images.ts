import type { Model } from "../../model/boundary.ts";
import type { ImageSource } from "../../model/deployment.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import { inspectImage } from "./docker-images.ts";
import { imagesErrors } from "./errors.ts";
import { KNOWN_IMAGES, localReference, PROBE_IMAGE } from "./known-images.ts";
import type { ImageLock, LockedImage } from "./lock-file.ts";
import { inRegistry } from "./reference.ts";
import { type RegistryContext, resolveDigest } from "./registry.ts";

/** The names of the images that the components of a model need, and that a deployment of Docker is verified with, sorted. */
export function imageNamesOf({ engine, components }: Model): readonly string[] {
  const probe = engine === "docker" ? [PROBE_IMAGE] : [];
  return [...new Set([...components.flatMap(({ image }) => image ?? []), ...probe])].sort();
}

/** What {@link lockImages} is handed. */
export interface LockRequest extends RegistryContext {
  readonly docker: DockerCli;
  readonly source: ImageSource;
  /** Takes every image from this registry, `host[:port][/path]`; source `registry` alone. @default upstream's own */
  readonly registry?: string | undefined;
}

/**
 * Finds the digest of each image: in its registry, or in the Docker Engine for those that were made on this machine. An image
 * that cannot be made is left out of a lock of source `packages`.
 * @throws with every image that has none: IMAGES_UNRESOLVED, or what `resolveDigest` throws where that is the same for all
 * @throws IMAGES_NAME_UNKNOWN, and what {@link DockerCli} throws
 */
export async function lockImages(request: LockRequest, names: readonly string[], version: string): Promise<ImageLock> {
  const images: Record<string, LockedImage> = {};
  const failures: { readonly name: string; readonly error: TrustKernError }[] = [];
  const lockOne = async (name: string): Promise<void> => {
    const reference = referenceOf(request, name, version);
    try {
      images[name] = { reference, digest: await digestOf(request, reference) };
    } catch (error) {
      if (!(error instanceof TrustKernError) || error.code.startsWith("DOCKER_")) throw error;
      failures.push({ name, error });
    }
  };
  await Promise.all(names.filter((name) => isAvailable(request.source, name)).map(lockOne));
  const [first] = failures;
  if (first === undefined) return { source: request.source, images };
  const lines = failures.map(({ name, error }) => `\n  ${name}: ${error.message}`).sort();
  const alike = failures.every(({ error }) => error.code === first.error.code);
  throw imagesErrors.error(
    alike ? (first.error.code as keyof typeof imagesErrors.entries) : "IMAGES_UNRESOLVED",
    `${failures.length} of ${names.length} images have no digest:${lines.join("")}`,
    alike ? { fix: first.error.fix } : {},
  );
}

/** Whether a source of images has an image of that name at all. */
export function isAvailable(source: ImageSource, name: string): boolean {
  return source === "registry" || KNOWN_IMAGES[name] === undefined || KNOWN_IMAGES[name].contents !== undefined;
}

/**
 * The reference of an image for a source of images.
 * @throws IMAGES_NAME_UNKNOWN
 */
export function referenceOf(
  { source, registry }: Pick<LockRequest, "source" | "registry">,
  name: string,
  version: string,
): string {
  const known = KNOWN_IMAGES[name];
  if (known === undefined) throw imagesErrors.error("IMAGES_NAME_UNKNOWN", `"${name}" is no image of TrustKern`);
  if (source === "packages") return localReference(name, version);
  const reference = known.upstream ?? localReference(name, version);
  return registry === undefined ? reference : inRegistry(reference, registry);
}

async function digestOf(request: LockRequest, reference: string): Promise<string> {
  if (request.source === "registry") return resolveDigest(request, reference);
  const present = await inspectImage(request.docker, reference);
  if (present !== undefined) return present.id;
  throw imagesErrors.error("IMAGES_UNRESOLVED", `the Docker Engine has no ${reference}`, {
    path: reference,
    fix: "make it with `trustkern images build`",
  });
}
