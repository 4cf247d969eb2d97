import type { Component, Port } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { dockerStackErrors } from "./errors.ts";

const LAST_PORT = 65_535;

/** A port of a container that the host listens for. */
export interface PublishedPort {
  readonly component: string;
  readonly port: Port;
  /** Number on the host. */
  readonly external: number;
}

/**
 * Every published port with its number on the host: the one that `trustkern.yaml` asks for, or the usual one; where another
 * component has that already, as of two gateways, the next one that is free among them.
 * @throws DOCKER_PORT_UNPUBLISHED, DOCKER_PORTS_SAME, DOCKER_PORTS_FULL
 */
export function publishedPorts(components: readonly Component[], deployment: Deployment): readonly PublishedPort[] {
  const wishes = components.flatMap(({ name, ports }) =>
    ports
      .filter(({ publish }) => publish)
      .map((port) => ({ component: name, port, asked: deployment.ports[`${name}.${port.name}`] || undefined })),
  );
  const known = new Set(wishes.map(({ component, port }) => `${component}.${port.name}`));
  const unknown = Object.entries(deployment.ports).filter(([id, asked]) => asked > 0 && !known.has(id));
  if (unknown.length > 0) {
    const message = `${unknown.map(([id]) => id).join(", ")} is not published; accepted: ${[...known].join(", ")}`;
    throw dockerStackErrors.error("DOCKER_PORT_UNPUBLISHED", message, { path: "ports" });
  }
  const taken = new Map<string, string>();
  for (const { component, port, asked } of wishes) {
    if (asked === undefined) continue;
    const other = taken.get(`${port.protocol}/${asked}`);
    if (other !== undefined) {
      throw dockerStackErrors.error(
        "DOCKER_PORTS_SAME",
        `${component}.${port.name} and ${other} both ask for ${port.protocol} port ${asked}`,
        { path: `ports.${component}` },
      );
    }
    taken.set(`${port.protocol}/${asked}`, `${component}.${port.name}`);
  }
  return wishes.map(({ component, port, asked }) => {
    let external = asked ?? port.port;
    while (asked === undefined && taken.has(`${port.protocol}/${external}`)) external += 1;
    if (external > LAST_PORT) {
      throw dockerStackErrors.error(
        "DOCKER_PORTS_FULL",
        `no port from ${port.port} on is free for ${component}.${port.name}`,
      );
    }
    taken.set(`${port.protocol}/${external}`, `${component}.${port.name}`);
    return { component, port, external };
  });
}
