import type { Model } from "../../model/boundary.ts";
import { renderFindings } from "../../model/findings.ts";
import { absentFindings } from "../../modules/absent.ts";
import { buildModel } from "../../modules/index.ts";
import { checkRendered } from "./check/index.ts";
import { kubernetesStackErrors } from "./errors.ts";
import { kubernetesPlacement } from "./placement.ts";
import { type KubernetesPlan, type KubernetesTarget, planKubernetes } from "./plan.ts";

/** A deployment as it is about to be: nothing is made yet. */
export interface RenderedKubernetes {
  readonly model: Model;
  readonly plan: KubernetesPlan;
}

/**
 * Renders a deployment, and holds what came out against the model. Needs no cluster and no network.
 * @throws BOUNDARY_BROKEN, KUBERNETES_REFUSED with every finding, and what planning throws
 */
export function renderKubernetes(target: KubernetesTarget): RenderedKubernetes {
  const { deployment } = target;
  const model = buildModel(deployment, kubernetesPlacement(deployment));
  const plan = planKubernetes(model, target);
  const findings = [...absentFindings(model, deployment), ...checkRendered(plan.objects, { ...target, model })];
  if (findings.length > 0) {
    throw kubernetesStackErrors.error(
      "KUBERNETES_REFUSED",
      renderFindings("the rendered objects grant what the model does not", findings),
      { path: findings[0]?.path, cause: findings },
    );
  }
  return { model, plan };
}
