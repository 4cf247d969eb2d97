import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { CONTROL_HEALTH, configFile, controlSockets, ownCommand } from "../common.ts";
import { KEM_SOCKET } from "../custody/component.ts";

/** Name of the component. */
export const CUSTODY_BROKER = "custody-broker";

/**
 * Stands between the collector and custody: it parses what the collector sends, bounds it, and passes on what is well-formed.
 * Shared secrets go through it, and no key ever does.
 */
export function custodyBroker(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const name = CUSTODY_BROKER;
  const socket = placement.socket(name, KEM_SOCKET);
  return component({
    name,
    zone: "decryption",
    holds: ["ciphertext", "plaintext", "metadata"],
    service: "custody-broker",
    image: "custody-broker",
    command: ownCommand(placement, name),
    files: configFile(deployment, placement, name, {
      custodySocket: placement.socket("custody", KEM_SOCKET),
      listen: { kind: "unix", socket },
    }),
    sockets: [...controlSockets(placement, name), { name: KEM_SOCKET, path: socket }],
    health: CONTROL_HEALTH,
    limits: { memoryMiB: 256, pids: 32, cpus: 1 },
    network: false,
  });
}
