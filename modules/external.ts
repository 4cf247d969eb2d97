import type { ComponentIn } from "../model/component.ts";
import type { Deployment } from "../model/deployment.ts";
import { EXTERNAL_PARTS, type ExternalServer } from "../model/kubernetes.ts";
import type { Zone } from "../model/zones.ts";

/** The server that a component is, where the deployment does not run it. */
export function externalServer(
  { engine, kubernetes }: Pick<Deployment, "engine" | "kubernetes">,
  component: string,
): ExternalServer | undefined {
  const part = EXTERNAL_PARTS.find((known) => known === component);
  return engine === "kubernetes" && part !== undefined ? kubernetes.external[part] : undefined;
}

/**
 * A component as it stays in the model where somebody else runs it: its zone, what it holds and its ports, which the boundary rule
 * reads, and nothing that an engine would make.
 */
export function elsewhere<Z extends Zone>(component: ComponentIn<Z>, deployment: Deployment): ComponentIn<Z> {
  const external = externalServer(deployment, component.name);
  if (external === undefined) return component;
  const { image: _, command: __, environment: ___, service: ____, ...rest } = component;
  const nothing = { files: [], secrets: [], volumes: [], scratch: [], sockets: [], exceptions: [] };
  const ports = component.ports.map(({ publish: _, ...port }) => ({ ...port, port: external.port || port.port }));
  return { ...rest, ...nothing, ports, external };
}
