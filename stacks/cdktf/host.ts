import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { readImageLock } from "../../operations/images/lock-file.ts";
import { assertPins, pinsOf } from "../../operations/images/pins.ts";
import packageJson from "../../package.json" with { type: "json" };
import type { ImagePins } from "../docker/images.ts";

// A cdktf app is a program of its own: what the command line looks at for others, it looks at here.

/** Name of the image lock, which lies beside the deployment file. */
export { LOCK_FILE } from "../../operations/images/lock-file.ts";

/**
 * What the images of a model are, by a file that `trustkern images lock` wrote.
 * @throws IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS, IMAGES_MISMATCH
 */
export function lockedImages(deployment: Deployment, model: Model, lockFile: string): ImagePins {
  const pins = pinsOf(deployment, model, readImageLock(lockFile), packageJson.version);
  assertPins(pins);
  return pins;
}
