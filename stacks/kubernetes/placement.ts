import { serviceDnsName } from "../../certs/cluster-names.ts";
import type { Deployment } from "../../model/deployment.ts";
import { type Placement, serverName } from "../../model/placement.ts";
import { EVERY_ADDRESS } from "../../modules/common.ts";
import { externalServer } from "../../modules/external.ts";
import { usualPort } from "../../modules/reference-placement.ts";
import { INSIDE, SOCKET_FILE } from "../docker/placement.ts";

/**
 * Where the engine kubernetes puts things, as its pods see them. A component is asked by the name of its Service, and its
 * certificate is held to the name that it has on every engine; it has that of the Service too, for clients that take no other name. A pod learns its address when it starts, and the policies say who
 * reaches it: it listens at all that it has.
 */
export function kubernetesPlacement(deployment: Deployment): Placement {
  return {
    endpoint: (component, port) => {
      const elsewhere = externalServer(deployment, component);
      if (elsewhere !== undefined) {
        return { host: elsewhere.host, port: elsewhere.port, servername: elsewhere.servername };
      }
      return {
        host: serviceHost(component, deployment),
        port: usualPort(component, port),
        servername: serverName(component, deployment.tenant),
      };
    },
    secretFile: (_, secret) => `${INSIDE.secrets}/${secret}`,
    volumeDir: (_, volume) => `${INSIDE.volumes}/${volume}`,
    configFile: (_, file) => `${INSIDE.config}/${file}`,
    socket: (component, socket) => `${INSIDE.sockets}/${component}.${socket}/${SOCKET_FILE}`,
    listenAddresses: () => [EVERY_ADDRESS],
  };
}

/** The DNS name of a component's Service. */
export function serviceHost(component: string, { kubernetes }: Pick<Deployment, "kubernetes">): string {
  return serviceDnsName(component, kubernetes.namespace);
}
