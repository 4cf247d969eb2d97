import { tmpdir } from "node:os";
import { resolve } from "node:path";
import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { imagesErrors } from "../../operations/images/errors.ts";
import { LOCK_FILE, readImageLock } from "../../operations/images/lock-file.ts";
import { assertPins, pinsOf } from "../../operations/images/pins.ts";
import packageJson from "../../package.json" with { type: "json" };
import type { RunAs } from "../docker/containers.ts";
import type { ImagePins } from "../docker/images.ts";
import { runAsOf } from "../docker/life/options.ts";

// A Pulumi program is one of its own, as that of cdktf.json is: what it looks at of its machine, it looks at here.

/** Who runs this program. */
export function caller(): RunAs {
  return runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
}

/** The time on this machine. */
export function now(): Date {
  return new Date();
}

/** Where sockets go when the state directory's path is too long for them. */
export function temporaryDir(): string {
  return tmpdir();
}

/**
 * Every image by digest: Pulumi asks no registry what a tag is today.
 * @throws IMAGES_NOT_LOCKED, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS, IMAGES_MISMATCH
 */
export function lockedPins(deployment: Deployment, model: Model, imageLock: string = LOCK_FILE): ImagePins {
  const file = resolve(imageLock);
  const lock = readImageLock(file);
  const pins = pinsOf(deployment, model, lock, packageJson.version);
  const open = Object.entries(pins.images).flatMap(([name, { digest }]) => (digest === undefined ? [name] : []));
  if (open.length > 0) {
    const message = lock === undefined ? `there is no "${file}"` : `"${file}" does not name ${open.join(", ")}`;
    throw imagesErrors.error("IMAGES_NOT_LOCKED", `Pulumi runs locked images only, and ${message}`, { path: file });
  }
  assertPins(pins);
  return pins;
}
