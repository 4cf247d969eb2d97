import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import {
  CRL_SECRET,
  configFile,
  controlSockets,
  listenConfig,
  ownCommand,
  secretRefs,
  TLS_SECRETS,
  tlsConfig,
  WAITING_HEALTH,
} from "../common.ts";
import { KEM_SOCKET } from "../custody/component.ts";
import { custodyReplicas, WRITER } from "../custody/replicas.ts";

/** Name of the component. */
export const CUSTODY_BROKER = "custody-broker";

/** Name of the port at which other custody brokers ask, where there are several. */
export const REPLICAS_PORT = "replicas";

/** Common name of its certificate, where it has one. */
const CUSTODY_BROKER_IDENTITY = "svc-custody-broker";

/**
 * Stands between the collector and custody: it parses what the collector sends, bounds it, and passes on what is well-formed.
 * Shared secrets go through it, and no key ever does.
 */
export function custodyBroker(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const name = CUSTODY_BROKER;
  const replicas = custodyReplicas(deployment);
  const kem = deployment.engine === "kubernetes" ? onNetwork(placement, replicas > 1) : onSocket(placement);
  return component({
    name,
    zone: "decryption",
    holds: ["ciphertext", "plaintext", "metadata", ...kem.holds],
    service: "custody-broker",
    image: "custody-broker",
    command: ownCommand(placement, name),
    ...kem.parts,
    files: configFile(deployment, placement, name, {
      custodySocket: placement.socket("custody", KEM_SOCKET),
      listen: kem.listen,
      ...kem.members,
    }),
    sockets: [...controlSockets(placement, name), ...kem.sockets],
    health: WAITING_HEALTH,
    limits: { memoryMiB: 256, pids: 32, cpus: 1 },
    // One for each custody, in its pod.
    replicas,
  });
}

/** The collector is on the same machine: a folder that it alone sees says who asks. */
function onSocket(placement: Placement) {
  const socket = placement.socket(CUSTODY_BROKER, KEM_SOCKET);
  return {
    holds: [],
    parts: { network: false },
    sockets: [{ name: KEM_SOCKET, path: socket }],
    listen: { kind: "unix", socket },
    members: {},
  } as const;
}

/** Collectors are on other machines: their certificate says who asks. So are brokers of other custodies, on a port of their own. */
function onNetwork(placement: Placement, several: boolean) {
  const name = CUSTODY_BROKER;
  const portOf = (port: string) =>
    ({ name: port, port: placement.endpoint(name, port).port, protocol: "tcp" }) as const;
  const tls = { ...tlsConfig(placement, name), crlFile: placement.secretFile(name, CRL_SECRET) };
  const writer = placement.endpoint(name, REPLICAS_PORT);
  return {
    holds: ["credential"],
    parts: {
      network: true,
      identity: CUSTODY_BROKER_IDENTITY,
      ports: [portOf(KEM_SOCKET), ...(several ? [portOf(REPLICAS_PORT)] : [])],
      secrets: secretRefs(placement, name, [...TLS_SECRETS, CRL_SECRET]),
      renewal: "watch",
    },
    sockets: [],
    listen: {
      kind: "mtls",
      address: listenConfig(placement, name, KEM_SOCKET),
      tls,
    },
    members: several
      ? {
          replicas: {
            address: listenConfig(placement, name, REPLICAS_PORT),
            tls,
            // A pod of a StatefulSet has a name below that of its headless Service.
            writer: { ...writer, host: `${WRITER}.${writer.host}` },
          },
        }
      : {},
  } as const;
}
