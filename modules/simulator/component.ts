import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import {
  CONTROL_HEALTH,
  configFile,
  controlSockets,
  ownCommand,
  secretRefs,
  TLS_SECRETS,
  tlsConfig,
} from "../common.ts";

/** Common name of the rogue gateway: a valid certificate in the hands of a program that checks nothing. */
export const ROGUE_GATEWAY = "gw-rogue";

/** Simulated sensors behind secure-element stand-ins, and one rogue gateway to try the collector with. */
export function simulator(deployment: Deployment, placement: Placement): ComponentIn<"device"> {
  const name = "simulator";
  const stateDir = placement.volumeDir(name, "state");
  const [firstGateway = ""] = deployment.gateways;
  const { host, port } = placement.endpoint(firstGateway, "coap");
  return component({
    name,
    zone: "device",
    holds: ["ciphertext", "plaintext", "signing-key", "metadata", "credential"],
    service: "simulator",
    image: "simulator",
    command: ownCommand(placement, name),
    identity: ROGUE_GATEWAY,
    files: configFile(deployment, placement, name, {
      stateDir,
      gatewayCoap: { host, port },
      rogue: { broker: placement.endpoint("broker", "mqtts"), tls: tlsConfig(placement, name) },
    }),
    secrets: secretRefs(placement, name, TLS_SECRETS),
    volumes: [{ name: "state", path: stateDir, witness: "sensors.db" }],
    sockets: controlSockets(placement, name),
    health: CONTROL_HEALTH,
    limits: { memoryMiB: 512, pids: 32, cpus: 1 },
    network: true,
    exceptions: [
      {
        what: "holds the certificate of a gateway in zone device",
        reason: "the rogue gateway proves that the collector trusts no gateway; profile dev only",
      },
    ],
  });
}
