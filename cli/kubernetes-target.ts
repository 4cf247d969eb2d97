import { dirname, join } from "node:path";
import { buildModel } from "../modules/index.ts";
import { LOCK_FILE, readImageLock } from "../operations/images/lock-file.ts";
import { assertPins, pinsOf } from "../operations/images/pins.ts";
import packageJson from "../package.json" with { type: "json" };
import { kubernetesPlacement } from "../stacks/kubernetes/placement.ts";
import type { KubernetesTarget } from "../stacks/kubernetes/plan.ts";
import type { CommandContext } from "./command.ts";
import { locateDeployment } from "./deployment-file.ts";
import { cliErrors } from "./errors.ts";

/**
 * The deployment of `-f`, or of the nearest `trustkern.yaml`, with what its images are. Asks no cluster and no registry.
 * @throws KUBERNETES_ENGINE_ONLY, CONFIG_INVALID, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS, IMAGES_MISMATCH
 */
export async function kubernetesTarget({ io, flags }: CommandContext): Promise<KubernetesTarget> {
  const { deployment, file } = await locateDeployment(io, flags);
  if (deployment.engine !== "kubernetes") {
    const message = `the deployment has the engine "${deployment.engine}"`;
    throw cliErrors.error("KUBERNETES_ENGINE_ONLY", message, { path: file });
  }
  const lock = readImageLock(join(file === undefined ? io.cwd : dirname(file), LOCK_FILE));
  const model = buildModel(deployment, kubernetesPlacement(deployment));
  const images = pinsOf(deployment, model, lock, packageJson.version);
  assertPins(images);
  return { deployment, images };
}
