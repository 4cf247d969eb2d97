import type { Deployment } from "../../../model/deployment.ts";
import { absentFindings } from "../../../modules/absent.ts";
import { buildModel } from "../../../modules/index.ts";
import type { Finding } from "../../../shared/finding.ts";
import type { CheckContext } from "../../kubernetes/check/context.ts";
import { checkRendered } from "../../kubernetes/check/index.ts";
import { kubernetesPlacement } from "../../kubernetes/placement.ts";
import type { KubernetesPlan } from "../../kubernetes/plan.ts";
import { renderKubernetes } from "../../kubernetes/render.ts";
import type { CheckedArgs } from "../args.ts";
import { lockedPins } from "../host.ts";
import { type Transform, transformed } from "../transform.ts";
import { withoutFreedoms } from "./freedoms.ts";
import { idOf, type KubernetesObject, plannedObjects } from "./planned-object.ts";

/** A deployment on Kubernetes as it is about to be registered. */
export interface PlannedKubernetes {
  readonly engine: "kubernetes";
  readonly plan: KubernetesPlan;
  /** What the objects were held against. */
  readonly context: CheckContext;
  /** What is registered, in this order. */
  readonly objects: readonly KubernetesObject[];
}

/**
 * The objects of `export kubernetes`, or what the transform made of them, held against the same model.
 * @throws IMAGES_NOT_LOCKED, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS, IMAGES_MISMATCH, BOUNDARY_BROKEN, KUBERNETES_REFUSED,
 * PULUMI_TRANSFORM, PULUMI_TRANSFORM_REFUSED, and what a plan throws
 */
export function planKubernetesObjects(
  deployment: Deployment,
  { imageLock, transform }: Pick<CheckedArgs, "imageLock" | "transform">,
): PlannedKubernetes {
  const images = lockedPins(deployment, buildModel(deployment, kubernetesPlacement(deployment)), imageLock);
  const { model, plan } = renderKubernetes({ deployment, images });
  const context = { deployment, images, model };
  const objects = checkedKubernetesObjects(plannedObjects(plan.objects), transform, context);
  return { engine: "kubernetes", plan, context, objects };
}

/**
 * The objects as they are registered: as they are planned, which has been checked, or after the transform and held against the model.
 * @throws PULUMI_TRANSFORM with everything that is no object, PULUMI_TRANSFORM_REFUSED with everything that is not what the model needs
 */
export function checkedKubernetesObjects(
  planned: readonly KubernetesObject[],
  transform: Transform | undefined,
  context: CheckContext,
): readonly KubernetesObject[] {
  return transformed(planned, transform, {
    pathOf: idOf,
    grantedBeyond: (kept) => grantedBeyond(kept, planned, context),
  });
}

function grantedBeyond(
  kept: readonly KubernetesObject[],
  planned: readonly KubernetesObject[],
  context: CheckContext,
): readonly Finding[] {
  const seen = kept.map((object, index) => {
    const original = planned[index];
    return original === undefined ? object.inputs : withoutFreedoms(object, original);
  });
  const named = (path: string) =>
    path.replace(/^objects\[(\d+)\]/, (whole, index) => {
      const object = kept[Number(index)];
      return object === undefined ? whole : idOf(object);
    });
  return [
    ...absentFindings(context.model, context.deployment),
    ...checkRendered(seen, context).map((finding) => ({ ...finding, path: named(finding.path) })),
  ];
}
