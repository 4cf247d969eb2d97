import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { buildModel } from "../../modules/index.ts";
import type { Layout } from "../host/layout.ts";
import { embeddedPlacement, LOOPBACK } from "./placement.ts";
import { choosePorts } from "./ports.ts";

/** What the engine is about to run: the model with every address and path filled in. */
export interface EmbeddedPlan {
  readonly model: Model;
  readonly placement: Placement;
  /** `<component>.<port>` to its number. */
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * Places a deployment on this machine. The ports of an earlier run are taken again where they are free.
 * @throws BOUNDARY_BROKEN, PORT_IN_USE
 */
export async function planEmbedded(
  deployment: Deployment,
  layout: Layout,
  earlier: Readonly<Record<string, number>>,
): Promise<EmbeddedPlan> {
  const shape = buildModel(deployment, embeddedPlacement(layout, deployment.tenant, {}));
  const wishes = shape.components.flatMap((component) =>
    component.ports.map(({ name, protocol }) => {
      const id = `${component.name}.${name}`;
      return { id, protocol, wanted: deployment.ports?.[id] ?? 0, earlier: earlier[id] };
    }),
  );
  const ports = await choosePorts(wishes, LOOPBACK);
  const placement = embeddedPlacement(layout, deployment.tenant, ports);
  return { model: buildModel(deployment, placement), placement, ports };
}
