import type { Deployment } from "../../model/deployment.ts";
import { readDeploymentInput } from "../../profiles/parse.ts";
import type { CheckContext } from "../docker/check/subject.ts";
import { dockerLayout } from "../docker/life/docker-layout.ts";
import { type DockerPlan, planContainers } from "../docker/plan.ts";
import { type CheckedArgs, parseArgs } from "./args.ts";
import { checkedObjects } from "./checked-objects.ts";
import { pulumiErrors } from "./errors.ts";
import { caller, lockedPins, temporaryDir } from "./host.ts";
import { type PlannedKubernetes, planKubernetesObjects } from "./kubernetes/plan-kubernetes.ts";
import { planObjects } from "./plan-objects.ts";
import type { DockerObject } from "./planned-object.ts";

/** A deployment on the docker engine as it is about to be registered. */
export interface PlannedDocker {
  readonly engine: "docker";
  readonly plan: DockerPlan;
  /** What the objects were held against. */
  readonly context: CheckContext;
  /** What is registered, in this order. */
  readonly objects: readonly DockerObject[];
}

/** A deployment as it is about to be registered. */
export type PlannedDeployment = PlannedDocker | PlannedKubernetes;

/**
 * Everything that a program's arguments stand for, checked. Registers nothing, and reads nothing but the image lock and the signing key
 * that the deployment names.
 * @throws PULUMI_ARGUMENTS, CONFIG_INVALID, PULUMI_ENGINE, IMAGES_NOT_LOCKED, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS,
 * IMAGES_MISMATCH, BOUNDARY_BROKEN, RENDERED_STACK_REFUSED, KUBERNETES_REFUSED, PULUMI_TRANSFORM, PULUMI_TRANSFORM_REFUSED, and what
 * a plan throws
 */
export function planDeployment(said: unknown): PlannedDeployment {
  const args = parseArgs(said);
  const { deployment } = readDeploymentInput(args.deployment, "deployment");
  if (deployment.engine === "kubernetes") return planKubernetesObjects(deployment, args);
  if (deployment.engine === "docker") return planDocker(deployment, args);
  const message = `the deployment has the engine "${deployment.engine}"; accepted: docker, kubernetes`;
  throw pulumiErrors.error("PULUMI_ENGINE", message, { path: "deployment.engine" });
}

function planDocker(deployment: Deployment, args: CheckedArgs): PlannedDocker {
  const { model, layout } = dockerLayout({ deployment, dir: args.dir, temporaryDir: temporaryDir() });
  const images = lockedPins(deployment, model, args.imageLock);
  const context = { model, deployment, layout, runAs: args.runAs ?? caller(), images };
  const plan = planContainers(model, context);
  const objects = checkedObjects(planObjects(plan), args.transform, context);
  return { engine: "docker", plan, context, objects };
}
