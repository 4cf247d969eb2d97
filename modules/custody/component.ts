import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { configFile, controlSockets, ownCommand, secretRefs, WAITING_HEALTH } from "../common.ts";
import { keyStorePart } from "./key-store.ts";
import { custodyReplicas, WRITER } from "./replicas.ts";

/** Name of the sockets that open the KEM: custody's for its broker, and the broker's socket or port for the collector. */
export const KEM_SOCKET = "kem";

/** Name of the socket that manages the keys, for this host alone: no component reaches it. */
export const MANAGE_SOCKET = "manage";

/**
 * Custody of the HPKE private keys: the crypto service. The KEM is asked over a Unix socket, by the custody broker. A shared
 * secret that it hands out opens one message, so it counts as that message's plaintext; the private key never leaves.
 */
export function custody(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const name = "custody";
  const stateFolder = placement.volumeDir(name, "state");
  const auditFolder = placement.volumeDir(name, "audit");
  const [kemSocket, manageSocket] = [placement.socket(name, KEM_SOCKET), placement.socket(name, MANAGE_SOCKET)];
  const fixture = deployment.fixture ? { fixtureFile: placement.secretFile(name, "fixture.json") } : {};
  const replicas = custodyReplicas(deployment);
  const keyStore = keyStorePart(deployment, placement, name);
  return component({
    name,
    zone: "decryption",
    holds: ["ciphertext", "plaintext", "decryption-key", "metadata", "credential"],
    service: "custody",
    image: keyStore.image,
    command: ownCommand(placement, name),
    files: configFile(deployment, placement, name, {
      keyStore: keyStore.config,
      leastClass: deployment.custody.leastClass,
      // Elsewhere the host looks first at what is about to run, and orders it then.
      unseal: deployment.profile === "dev" ? "at-start" : "on-order",
      stateFolder,
      auditFolder,
      kemSocket,
      manageSocket,
      ...(replicas > 1 ? { replicas: { writer: WRITER } } : {}),
      ...fixture,
    }),
    secrets: secretRefs(placement, name, [...keyStore.secrets, ...(deployment.fixture ? ["fixture.json"] : [])]),
    volumes: [
      ...keyStore.volumes,
      { name: "state", path: stateFolder, witness: "generations.json" },
      { name: "audit", path: auditFolder, witness: "audit.head" },
    ],
    sockets: [
      ...controlSockets(placement, name),
      { name: KEM_SOCKET, path: kemSocket },
      { name: MANAGE_SOCKET, path: manageSocket },
    ],
    health: WAITING_HEALTH,
    limits: { memoryMiB: 512, pids: 32, cpus: 1 },
    ...(Object.keys(keyStore.environment).length === 0 ? {} : { environment: keyStore.environment }),
    network: keyStore.network,
    replicas,
    exceptions: keyStore.exceptions,
    scratch: keyStore.scratch,
  });
}
