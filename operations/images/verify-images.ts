import type { Finding } from "../../shared/finding.ts";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import { inspectImage } from "./docker-images.ts";
import { imagesErrors } from "./errors.ts";
import { type ImageLock, LOCK_FILE, type LockedImage } from "./lock-file.ts";
import { type ImageDemands, LOCK_AGAIN, lockFindings } from "./lock-findings.ts";
import { isAvailable } from "./lock-images.ts";

/**
 * What stands between a lock and a deployment of these images: those that the lock does not name, those that were to be made
 * on this machine or loaded and are not there, those that are other bytes than the lock says, and {@link lockFindings}. What comes from a registry is pulled by its digest, which the Docker Engine checks
 * itself: no registry is asked.
 * @throws what {@link DockerCli} throws
 */
export async function verifyImages(
  lock: ImageLock,
  names: readonly string[],
  docker: DockerCli,
  demands: ImageDemands,
): Promise<readonly Finding[]> {
  const checked = await Promise.all(
    names.map(async (name) => {
      const locked = lock.images[name];
      if (locked === undefined) return [notLocked(lock, name)];
      if (lock.source !== "registry") return checkPresent(name, locked, docker, lock.source);
      return lockFindings(lock, [name], demands);
    }),
  );
  return checked.flat();
}

function notLocked({ source }: ImageLock, name: string): Finding {
  return {
    code: "IMAGE_NOT_LOCKED",
    path: `images.${name}`,
    message: `${LOCK_FILE} does not name the image ${name}`,
    fix: isAvailable(source, name)
      ? LOCK_AGAIN
      : `it comes from a registry alone: set images.source to registry, or leave it out with images: { ${name}: absent }`,
  };
}

async function checkPresent(
  name: string,
  locked: LockedImage,
  docker: DockerCli,
  source: ImageLock["source"],
): Promise<readonly Finding[]> {
  if ((await inspectImage(docker, locked.digest)) !== undefined) return [];
  const tagged = await inspectImage(docker, locked.reference);
  if (tagged !== undefined) return [mismatch(name, locked, tagged.id)];
  return [
    {
      code: "IMAGE_MISSING",
      path: `images.${name}`,
      message: `the Docker Engine has no ${locked.reference} with ${locked.digest}`,
      fix:
        source === "bundle"
          ? imagesErrors.entries.IMAGES_BUNDLED.fix
          : "trustkern images build && trustkern images lock",
    },
  ];
}

function mismatch(name: string, { reference, digest }: LockedImage, found: string): Finding {
  return {
    code: "IMAGE_DIGEST_MISMATCH",
    path: `images.${name}`,
    message: `${reference} is locked to ${digest}, and the Docker Engine has ${found}`,
    fix: "if the new image is wanted, lock it with `trustkern images lock`; otherwise find out who replaced it",
  };
}
