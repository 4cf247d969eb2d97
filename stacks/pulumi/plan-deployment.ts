import { readDeploymentInput } from "../../profiles/parse.ts";
import type { CheckContext } from "../docker/check/subject.ts";
import { dockerLayout } from "../docker/life/docker-layout.ts";
import { type DockerPlan, planContainers } from "../docker/plan.ts";
import { parseArgs } from "./args.ts";
import { pulumiErrors } from "./errors.ts";
import { caller, lockedPins, temporaryDir } from "./host.ts";
import { planObjects } from "./plan-objects.ts";
import type { PlannedObject } from "./planned-object.ts";
import { checkedObjects } from "./transform.ts";

/** A deployment as it is about to be registered. */
export interface PlannedDeployment {
  readonly plan: DockerPlan;
  /** What the objects were held against. */
  readonly context: CheckContext;
  /** What is registered, in this order. */
  readonly objects: readonly PlannedObject[];
}

/**
 * Everything that a program's arguments stand for, checked. Registers nothing, and reads nothing but the image lock and the signing key
 * that the deployment names.
 * @throws PULUMI_ARGUMENTS, CONFIG_INVALID, PULUMI_ENGINE, IMAGES_NOT_LOCKED, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS,
 * IMAGES_MISMATCH, BOUNDARY_BROKEN, RENDERED_STACK_REFUSED, PULUMI_TRANSFORM, PULUMI_TRANSFORM_REFUSED, and what a plan throws
 */
export function planDeployment(said: unknown): PlannedDeployment {
  const args = parseArgs(said);
  const { deployment } = readDeploymentInput(args.deployment, "deployment");
  if (deployment.engine !== "docker") {
    const message = `the deployment has the engine "${deployment.engine}"; accepted: docker`;
    throw pulumiErrors.error("PULUMI_ENGINE", message, { path: "deployment.engine" });
  }
  const { model, layout } = dockerLayout({ deployment, dir: args.dir, temporaryDir: temporaryDir() });
  const images = lockedPins(deployment, model, args.imageLock);
  const context = { model, deployment, layout, runAs: args.runAs ?? caller(), images };
  const plan = planContainers(model, context);
  return { plan, context, objects: checkedObjects(planObjects(plan), args.transform, context) };
}
