import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildModel } from "../modules/index.ts";
import { LOCK_FILE, readImageLock } from "../operations/images/lock-file.ts";
import { assertPins, pinsOf } from "../operations/images/pins.ts";
import packageJson from "../package.json" with { type: "json" };
import type { ClusterOptions } from "../stacks/kubernetes/life/options.ts";
import { kubernetesPlacement } from "../stacks/kubernetes/placement.ts";
import type { KubernetesTarget } from "../stacks/kubernetes/plan.ts";
import type { CommandContext } from "./command.ts";
import { type LocatedDeployment, locateDeployment } from "./deployment-file.ts";
import { cliErrors } from "./errors.ts";
import { talk } from "./talk.ts";

/**
 * The deployment of `-f`, or of the nearest `trustkern.yaml`, with what its images are. Asks no cluster and no registry.
 * @throws KUBERNETES_ENGINE_ONLY, CONFIG_INVALID, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS, IMAGES_MISMATCH
 */
export async function kubernetesTarget({ io, flags }: CommandContext): Promise<KubernetesTarget> {
  return targetOf(await locateDeployment(io, flags), io.cwd);
}

/**
 * The same, with what the command line does in its cluster with.
 * @throws as {@link kubernetesTarget}
 */
export async function clusterOptions(context: CommandContext): Promise<ClusterOptions> {
  const { io, flags, paint } = context;
  const located = await locateDeployment(io, flags);
  return {
    ...targetOf(located, io.cwd),
    dir: located.dir,
    temporaryDir: tmpdir(),
    env: io.env,
    clock: io.now,
    pid: process.pid,
    signal: io.cancelled,
    onProgress: talk(context),
    onWarning: (what) => io.stderr(`${paint("yellow", "warning")}: ${what}\n`),
  };
}

function targetOf({ deployment, file }: LocatedDeployment, cwd: string): KubernetesTarget {
  if (deployment.engine !== "kubernetes") {
    const message = `the deployment has the engine "${deployment.engine}"`;
    throw cliErrors.error("KUBERNETES_ENGINE_ONLY", message, { path: file });
  }
  const lock = readImageLock(join(file === undefined ? cwd : dirname(file), LOCK_FILE));
  const model = buildModel(deployment, kubernetesPlacement(deployment));
  const images = pinsOf(deployment, model, lock, packageJson.version);
  assertPins(images);
  return { deployment, images };
}
