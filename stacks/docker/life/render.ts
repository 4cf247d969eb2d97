import type { Model } from "../../../model/boundary.ts";
import { renderFindings } from "../../../model/findings.ts";
import { absentFindings } from "../../../modules/absent.ts";
import type { Layout } from "../../host/layout.ts";
import { STATE_FILE, synthJson } from "../cdktf.ts";
import { checkRendered } from "../check/index.ts";
import { type DockerPlan, planContainers } from "../plan.ts";
import { dockerLayout } from "./docker-layout.ts";
import { dockerLifeErrors } from "./errors.ts";
import type { DockerOptions } from "./options.ts";

/** A deployment as it is about to be: nothing is made yet. */
export interface Rendered {
  readonly layout: Layout;
  readonly model: Model;
  readonly plan: DockerPlan;
  /** The Terraform JSON. */
  readonly stack: unknown;
}

/** What rendering is handed. */
type RenderOptions = Pick<DockerOptions, "deployment" | "dir" | "temporaryDir" | "images" | "runAs">;

/**
 * Renders a deployment, and holds nothing against anything: for who looks at what came out.
 * @throws BOUNDARY_BROKEN, and what rendering throws
 */
export function synthDocker(options: RenderOptions): Rendered {
  const { deployment, images, runAs } = options;
  const { layout, model } = dockerLayout(options);
  const plan = planContainers(model, { deployment, layout, runAs, images });
  return { layout, model, plan, stack: synthJson(plan, { backend: deployment.state, localFile: STATE_FILE }) };
}

/**
 * Renders a deployment, and holds what came out against the model. Needs no Docker, network or image lock.
 * @throws BOUNDARY_BROKEN, RENDERED_STACK_REFUSED with every finding, and what rendering throws
 */
export function renderDocker(options: RenderOptions): Rendered {
  const { deployment, images, runAs } = options;
  const rendered = synthDocker(options);
  const { layout, model, stack } = rendered;
  const findings = [
    ...absentFindings(model, deployment),
    ...checkRendered(stack, { model, deployment, layout, images, runAs }),
  ];
  if (findings.length > 0) {
    throw dockerLifeErrors.error(
      "RENDERED_STACK_REFUSED",
      renderFindings("the rendered stack grants what the model does not", findings),
      { path: findings[0]?.path, cause: findings },
    );
  }
  return rendered;
}
