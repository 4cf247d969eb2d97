import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { kubernetesPlacement } from "../kubernetes/placement.ts";
import type { KubernetesPlan } from "../kubernetes/plan.ts";
import { renderKubernetes } from "../kubernetes/render.ts";
import { LOCK_FILE, lockedImages } from "./host.ts";

/** The deployment of a file. @throws CONFIG_INVALID */
export function readDeployment(file: string): Deployment {
  return parseDeploymentYaml(readFileSync(file, "utf8"), file);
}

/** Where the image lock of a deployment file is, when nothing else is said. */
export function lockBeside(file: string): string {
  return join(dirname(file), LOCK_FILE);
}

/**
 * The objects of a deployment of the engine kubernetes, held against its model.
 * @throws IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS, IMAGES_MISMATCH, BOUNDARY_BROKEN, KUBERNETES_REFUSED, and what planning throws
 */
export function planOf(deployment: Deployment, lockFile: string): KubernetesPlan {
  const model = buildModel(deployment, kubernetesPlacement(deployment));
  return renderKubernetes({ deployment, images: lockedImages(deployment, model, lockFile) }).plan;
}
