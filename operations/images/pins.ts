import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { renderFindings } from "../../model/findings.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/finding.ts";
import type { ImagePins } from "../../stacks/docker/images.ts";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import { imagesErrors } from "./errors.ts";
import { type ImageLock, LOCK_FILE } from "./lock-file.ts";
import { lockFindings } from "./lock-findings.ts";
import { imageNamesOf, referenceOf } from "./lock-images.ts";
import { readSigningKey } from "./signatures/signing-key.ts";
import { verifyImages } from "./verify-images.ts";

/**
 * What every image of a model is: by the lock where it names one, and else the reference with its version alone, which a plan
 * can be made with and only profile `dev` can run. What of the lock does not hold is beside them.
 * @throws IMAGES_SOURCE_DIFFERS when the lock was written for the other source of images
 */
export function pinsOf(deployment: Deployment, model: Model, lock: ImageLock | undefined, version: string): ImagePins {
  const { images } = deployment;
  const { source } = images;
  if (lock !== undefined && lock.source !== source) {
    throw imagesErrors.error(
      "IMAGES_SOURCE_DIFFERS",
      `${LOCK_FILE} is of source ${lock.source}, images.source is ${source}`,
      {
        path: "images.source",
      },
    );
  }
  const pins = imageNamesOf(model).map((name) => {
    return [name, lock?.images[name] ?? { reference: referenceOf(images, name, version) }] as const;
  });
  return {
    source,
    images: Object.fromEntries(pins),
    findings: lock === undefined ? [] : ofLock(deployment, model, lock),
  };
}

/** What of a lock the deployment does not take, as far as files say it; a key that cannot be read is one of these. */
function ofLock({ images, egress }: Deployment, model: Model, lock: ImageLock): readonly Finding[] {
  try {
    const signedBy = images.signedBy === undefined ? undefined : readSigningKey(images.signedBy);
    return lockFindings(lock, imageNamesOf(model), { images, egress, signedBy });
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || thrown.code !== "IMAGES_SIGNER_INVALID") throw thrown;
    return [{ code: thrown.code, path: "images.signedBy", message: thrown.message, fix: thrown.fix }];
  }
}

/**
 * Holds that the lock is one that the deployment takes, before anything is rendered of it. Asks nobody: files say enough.
 * @throws IMAGES_MISMATCH with every image that is from elsewhere than the mirror or the list of egress, or not signed as asked
 */
export function assertPins({ findings }: ImagePins): void {
  if (findings === undefined || findings.length === 0) return;
  throw mismatch(findings);
}

function whyLocked({ profile, images }: Deployment): string {
  if (profile !== "dev") return `profile ${profile}`;
  return images.source === "registry" ? "images.signedBy" : `images.source ${images.source}`;
}

/**
 * Holds that what a deploy is about to run is what was locked.
 * @throws IMAGES_NOT_LOCKED where a lock is needed and there is none, IMAGES_MISMATCH with every image that is missing, another, from
 * elsewhere than the mirror or not signed as asked, IMAGES_SIGNER_INVALID
 */
export async function assertImages(
  deployment: Deployment,
  model: Model,
  lock: ImageLock | undefined,
  docker: DockerCli,
): Promise<void> {
  const { images, egress, profile } = deployment;
  if (lock === undefined) {
    if (profile === "dev" && images.source === "registry" && images.signedBy === undefined) return;
    throw imagesErrors.error(
      "IMAGES_NOT_LOCKED",
      `${whyLocked(deployment)} runs locked images only, and there is no ${LOCK_FILE}`,
      {
        path: LOCK_FILE,
        ...(images.source === "packages" ? { fix: "trustkern images build && trustkern images lock" } : {}),
        ...(images.source === "bundle" ? { fix: imagesErrors.entries.IMAGES_BUNDLED.fix } : {}),
      },
    );
  }
  const signedBy = images.signedBy === undefined ? undefined : readSigningKey(images.signedBy);
  const findings = await verifyImages(lock, imageNamesOf(model), docker, { images, egress, signedBy });
  if (findings.length > 0) throw mismatch(findings);
}

function mismatch(findings: readonly Finding[]): TrustKernError {
  return imagesErrors.error("IMAGES_MISMATCH", renderFindings("images are not as locked", findings), {
    path: LOCK_FILE,
    cause: findings,
  });
}
