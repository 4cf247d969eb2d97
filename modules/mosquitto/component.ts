import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import {
  CONTROL_HEALTH,
  configFile,
  controlSockets,
  listenConfig,
  secretRefs,
  TLS_SECRETS,
  tlsConfig,
} from "../common.ts";

/** The MQTT broker. The embedded engine runs `services/broker` for it. */
export function broker(deployment: Deployment, placement: Placement): ComponentIn<"ingress"> {
  const name = "broker";
  const stateDir = placement.volumeDir(name, "state");
  return component({
    name,
    zone: "ingress",
    holds: ["ciphertext", "metadata", "credential"],
    service: "broker",
    identity: "svc-broker",
    ports: [{ name: "mqtts", port: placement.endpoint(name, "mqtts").port, protocol: "tcp", publish: true }],
    files: configFile(deployment, placement, name, {
      listen: listenConfig(placement, name, "mqtts"),
      tls: tlsConfig(placement, name),
      stateDir,
    }),
    secrets: secretRefs(placement, name, TLS_SECRETS),
    volumes: [{ name: "state", path: stateDir }],
    sockets: controlSockets(placement, name),
    health: CONTROL_HEALTH,
    limits: { memoryMiB: 512, pids: 32, cpus: 1 },
    network: true,
  });
}
