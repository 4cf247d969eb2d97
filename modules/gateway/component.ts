import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import {
  brokerMember,
  configFile,
  controlSockets,
  listenConfig,
  ownCommand,
  PINS_SECRET,
  secretRefs,
  TLS_SECRETS,
  tlsConfig,
  WAITING_HEALTH,
} from "../common.ts";
import { metricsMember, metricsPorts } from "../prometheus/metrics-port.ts";

/**
 * Certificate and key of a gateway's metrics port. Its own certificate is a client's and never a server's, so an engine with
 * a Prometheus issues a second one, of the class of services, that is a server's alone.
 */
export const METRICS_SECRETS = ["metrics.crt", "metrics.key"] as const;

/** Its bearer token for the backend; not there before the backend, which makes it, has run once. */
const TOKEN_SECRET = "token";

/** One reference gateway. It verifies and forwards envelopes, and holds nothing that opens one. */
export function gateway(deployment: Deployment, placement: Placement, name: string): ComponentIn<"edge"> {
  const stateDir = placement.volumeDir(name, "state");
  const metricsTls = {
    caFile: placement.secretFile(name, "ca.crt"),
    certFile: placement.secretFile(name, "metrics.crt"),
    keyFile: placement.secretFile(name, "metrics.key"),
  };
  const metricsSecrets = deployment.engine === "embedded" ? [] : METRICS_SECRETS;
  return component({
    name,
    zone: "edge",
    holds: ["ciphertext", "metadata", "credential"],
    service: "gateway",
    image: "gateway",
    command: ownCommand(placement, name),
    identity: name,
    ports: [
      { name: "coap", port: placement.endpoint(name, "coap").port, protocol: "udp", publish: true },
      ...metricsPorts(deployment, placement, name),
    ],
    files: configFile(deployment, placement, name, {
      ...metricsMember(deployment, placement, name, metricsTls),
      coap: listenConfig(placement, name, "coap"),
      broker: brokerMember(placement, name),
      backend: placement.endpoint("backend", "https"),
      tokenFile: placement.secretFile(name, TOKEN_SECRET),
      tls: tlsConfig(placement, name),
      stateDir,
      backendKeyFile: placement.secretFile(name, "backend.pub"),
      spoolMaxBytes: deployment.gateway.spoolMaxBytes,
      quarantineMaxBytes: deployment.retention.quarantineMaxBytes,
    }),
    secrets: secretRefs(placement, name, [
      ...[...TLS_SECRETS, PINS_SECRET, "backend.pub", TOKEN_SECRET],
      ...metricsSecrets,
    ]),
    volumes: [{ name: "state", path: stateDir, witness: "gateway.db" }],
    sockets: controlSockets(placement, name),
    renewal: "watch",
    health: WAITING_HEALTH,
    limits: { memoryMiB: 256, pids: 32, cpus: 1 },
    network: true,
  });
}
