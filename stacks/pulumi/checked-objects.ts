import { checkBoundary } from "../../model/boundary.ts";
import { renderFindings } from "../../model/findings.ts";
import { absentFindings } from "../../modules/absent.ts";
import type { Finding } from "../../shared/finding.ts";
import { checkResources } from "../docker/check/resources.ts";
import type { CheckContext } from "../docker/check/subject.ts";
import { dockerLifeErrors } from "../docker/life/errors.ts";
import type { DockerObject } from "./planned-object.ts";
import { pathOfObject, terraformResources } from "./provider-words.ts";
import { type Transform, transformed } from "./transform.ts";

/**
 * The objects of the docker engine as they are registered: as they are planned, or after the transform, and either way held against
 * the boundary and the model.
 * @throws RENDERED_STACK_REFUSED where the plan itself grants too much, PULUMI_TRANSFORM with everything that is no object,
 * PULUMI_TRANSFORM_REFUSED with everything by which what was given back grants too much
 */
export function checkedObjects(
  planned: readonly DockerObject[],
  transform: Transform | undefined,
  context: CheckContext,
): readonly DockerObject[] {
  const tooMuch = grantedBeyond(planned, context);
  if (tooMuch.length > 0) {
    const message = renderFindings("the planned objects grant what the model does not", tooMuch);
    throw dockerLifeErrors.error("RENDERED_STACK_REFUSED", message, { path: tooMuch[0]?.path, cause: tooMuch });
  }
  return transformed(planned, transform, {
    pathOf: ({ kind, name }) => `${kind}.${name}`,
    grantedBeyond: (objects) => grantedBeyond(objects, context),
  });
}

function grantedBeyond(objects: readonly DockerObject[], context: CheckContext): readonly Finding[] {
  return [
    ...checkBoundary(context.model),
    ...absentFindings(context.model, context.deployment),
    ...checkResources(terraformResources(objects), context).map((finding) => ({
      ...finding,
      path: pathOfObject(finding.path),
    })),
  ];
}
