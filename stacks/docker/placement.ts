import type { Deployment } from "../../model/deployment.ts";
import { type Placement, serverName } from "../../model/placement.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement, usualPort } from "../../modules/reference-placement.ts";
import { listenAddresses } from "./listen.ts";
import { planNetworks } from "./networks.ts";

/** Where files and folders are inside every container. */
export const INSIDE = {
  config: "/etc/trustkern",
  secrets: "/run/secrets",
  volumes: "/var/lib/trustkern",
  sockets: "/run/trustkern",
} as const;

/** Name of a socket's file in its folder: the folder is what is mounted, so that a socket may be made anew. */
export const SOCKET_FILE = "sock";

/**
 * Where the docker engine puts things, as its containers see them. A port has the same number on every deployment, and listens
 * at the addresses that follow from the flows; which flows there are depends on no placement.
 */
export function dockerPlacement(deployment: Deployment): Placement {
  const shape = buildModel(deployment, referencePlacement(deployment));
  const networks = planNetworks(shape, deployment);
  return {
    endpoint: (component, port) => {
      const host = serverName(component, deployment.tenant);
      return { host, port: usualPort(component, port), servername: host };
    },
    secretFile: (_, secret) => `${INSIDE.secrets}/${secret}`,
    volumeDir: (_, volume) => `${INSIDE.volumes}/${volume}`,
    configFile: (_, file) => `${INSIDE.config}/${file}`,
    socket: (component, socket) => `${INSIDE.sockets}/${component}.${socket}/${SOCKET_FILE}`,
    listenAddresses: (component, port) => listenAddresses(shape, networks, component, port),
  };
}
