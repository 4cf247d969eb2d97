import type { Deployment } from "../model/deployment.ts";
import { type Placement, serverName } from "../model/placement.ts";

const USUAL_PORTS: Readonly<Record<string, number>> = { mqtts: 8883, https: 8443, postgres: 5432, coap: 5683 };

/** A placement without an engine: host names, usual ports, and references where an engine has paths. For what only looks. */
export function referencePlacement(deployment: Deployment): Placement {
  const hostOf = (component: string) => serverName(component, deployment.tenant);
  return {
    endpoint: (component, port) => ({
      host: hostOf(component),
      port: deployment.ports[`${component}.${port}`] || (USUAL_PORTS[port] ?? 0),
      servername: hostOf(component),
    }),
    secretFile: (component, secret) => `secret:${component}/${secret}`,
    volumeDir: (component, volume) => `volume:${component}/${volume}`,
    configFile: (component, file) => `config:${component}/${file}`,
    socket: (component, socket) => `socket:${component}/${socket}`,
    listenHost: "0.0.0.0",
  };
}
