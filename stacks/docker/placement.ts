import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";

/** Where files and folders are inside every container. */
export const INSIDE = {
  config: "/etc/trustkern",
  secrets: "/run/secrets",
  volumes: "/var/lib/trustkern",
  sockets: "/run/trustkern",
} as const;

/** Name of a socket's file in its folder: the folder is what is mounted, so that a socket may be made anew. */
export const SOCKET_FILE = "sock";

const PORTS: Readonly<Record<string, number>> = {
  mqtts: 8883,
  "backend.https": 8443,
  "step-ca.https": 9000,
  "loki.https": 3100,
  "prometheus.https": 9090,
  "grafana.https": 3000,
  postgres: 5432,
  coap: 5683,
  metrics: 9464,
};

/** Where the docker engine puts things, as its containers see them. A port has the same number on every deployment. */
export function dockerPlacement(deployment: Deployment): Placement {
  return {
    endpoint: (component, port) => {
      const host = dnsName(component, deployment.tenant);
      return { host, port: PORTS[`${component}.${port}`] ?? PORTS[port] ?? 0, servername: host };
    },
    secretFile: (_, secret) => `${INSIDE.secrets}/${secret}`,
    volumeDir: (_, volume) => `${INSIDE.volumes}/${volume}`,
    configFile: (_, file) => `${INSIDE.config}/${file}`,
    socket: (component, socket) => `${INSIDE.sockets}/${component}.${socket}/${SOCKET_FILE}`,
    listenHost: "0.0.0.0",
  };
}

/** Name by which other containers reach a component; its server certificate has it too. */
export function dnsName(component: string, tenant: string): string {
  return `${component}.${tenant}.trustkern.internal`;
}
