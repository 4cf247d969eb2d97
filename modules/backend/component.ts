import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import {
  brokerMember,
  CONTROL_HEALTH,
  configFile,
  controlSockets,
  listenConfig,
  ownCommand,
  PINS_SECRET,
  secretRefs,
  TLS_SECRETS,
  tlsConfig,
} from "../common.ts";
import { metricsMember, metricsPorts } from "../prometheus/metrics-port.ts";

/** The device registry, which signs provisioning bundles, sensor updates and allowlists. Sees no telemetry at all. */
export function backend(deployment: Deployment, placement: Placement): ComponentIn<"operations"> {
  const name = "backend";
  const { network } = deployment;
  const stateDir = placement.volumeDir(name, "state");
  const [firstGateway = ""] = deployment.gateways;
  const coap = placement.endpoint(firstGateway, "coap");
  return component({
    name,
    zone: "operations",
    holds: ["signing-key", "metadata", "credential"],
    service: "backend",
    image: "backend",
    command: ownCommand(placement, name),
    identity: "svc-backend",
    ports: [
      { name: "https", port: placement.endpoint(name, "https").port, protocol: "tcp", publish: true },
      ...metricsPorts(deployment, placement, name),
    ],
    files: configFile(deployment, placement, name, {
      ...metricsMember(deployment, placement, name),
      listen: listenConfig(placement, name, "https"),
      tls: tlsConfig(placement, name),
      stateDir,
      signingKeyFile: placement.secretFile(name, "signing.key"),
      broker: brokerMember(placement, name),
      network: {
        network_name: network.name,
        channel: network.channel,
        pan_id: network.panId,
        ext_pan_id: network.extPanId,
        mesh_local_prefix: network.meshLocalPrefix,
        networkKeyFile: placement.secretFile(name, "network.key"),
      },
      gateways: [...deployment.gateways, ...deployment.gatewaysElsewhere],
      support: supportOf(deployment),
      issuing: issuersOf(deployment, placement),
      coap: `coap://${coap.host}:${coap.port}`,
    }),
    secrets: secretRefs(placement, name, [...TLS_SECRETS, PINS_SECRET, "signing.key", "network.key"]),
    volumes: [{ name: "state", path: stateDir, witness: "backend.db" }],
    sockets: controlSockets(placement, name),
    health: CONTROL_HEALTH,
    limits: { memoryMiB: 256, pids: 32, cpus: 0.5 },
    network: true,
  });
}

/** When the vendor's staff get in; who they are and why is evidence's, and nothing that the backend needs. */
function supportOf({ support }: Deployment): object {
  if (support.access !== "granted") return { access: support.access };
  const { access, from, until } = support;
  return { access, from, until };
}

/** The issuers that run; on the embedded engine the host issues everything. */
function issuersOf({ engine }: Deployment, placement: Placement): object {
  if (engine === "embedded") return {};
  return {
    gateways: placement.endpoint("gateways-ca", "https"),
    operators: placement.endpoint("operators-ca", "https"),
  };
}
