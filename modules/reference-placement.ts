import { STEP_CA_PORTS } from "../certs/step-ca/names.ts";
import type { Deployment } from "../model/deployment.ts";
import { type Placement, serverName } from "../model/placement.ts";
import { EVERY_ADDRESS } from "./common.ts";

/** Port numbers that a component listens on where nobody asks for another, by `component.port` or `port`. */
const USUAL_PORTS: Readonly<Record<string, number>> = {
  mqtts: 8883,
  "mqtts-services": 8884,
  postgres: 5432,
  coap: 5683,
  metrics: 9464,
  kem: 8446,
  replicas: 8447,
  "backend.https": 8443,
  "gateways-ca.https": STEP_CA_PORTS.gateways,
  "operators-ca.https": STEP_CA_PORTS.operators,
  "loki.https": 3100,
  "prometheus.https": 9090,
  "grafana.https": 3000,
};

/** The usual number of a port, 0 for one that nobody knows. */
export function usualPort(component: string, port: string): number {
  return USUAL_PORTS[`${component}.${port}`] ?? USUAL_PORTS[port] ?? 0;
}

/** A placement without an engine: host names, usual ports, and references where an engine has paths. For what only looks. */
export function referencePlacement(deployment: Deployment): Placement {
  const hostOf = (component: string) => serverName(component, deployment.tenant);
  return {
    endpoint: (component, port) => ({
      host: hostOf(component),
      port: deployment.ports[`${component}.${port}`] || usualPort(component, port),
      servername: hostOf(component),
    }),
    secretFile: (component, secret) => `secret:${component}/${secret}`,
    volumeDir: (component, volume) => `volume:${component}/${volume}`,
    configFile: (component, file) => `config:${component}/${file}`,
    socket: (component, socket) => `socket:${component}/${socket}`,
    listenAddresses: () => [EVERY_ADDRESS],
  };
}
