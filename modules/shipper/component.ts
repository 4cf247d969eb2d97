import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { secretRefs, TLS_SECRETS } from "../common.ts";
import { yamlFile } from "../yaml-file.ts";
import { shipperYaml } from "./shipper-yaml.ts";

/** Name of the component that carries log lines. */
export const SHIPPER = "shipper";

/** Name of the socket that takes log lines in the Fluent Forward protocol, which Docker's `fluentd` log driver speaks. */
export const LOGS_SOCKET = "logs";

const LIMITS = { memoryMiB: 256, pids: 64, cpus: 0.5 } as const;

/** Carries what every component writes to Loki: an OpenTelemetry Collector. Its own log stays with the engine. */
export function shipper(deployment: Deployment, placement: Placement): ComponentIn<"operations"> {
  const queueDir = placement.volumeDir(SHIPPER, "queue");
  const socket = placement.socket(SHIPPER, LOGS_SOCKET);
  const config = placement.configFile(SHIPPER, "otelcol.yml");
  const settings = {
    deployment: deployment.name,
    tenant: deployment.tenant,
    socket,
    queueDir,
    loki: placement.endpoint("loki", "https"),
    tls: {
      ca: placement.secretFile(SHIPPER, "ca.crt"),
      cert: placement.secretFile(SHIPPER, "tls.crt"),
      key: placement.secretFile(SHIPPER, "tls.key"),
    },
    memoryMiB: LIMITS.memoryMiB,
  };
  return component({
    name: SHIPPER,
    zone: "operations",
    holds: ["metadata", "credential"],
    image: "shipper",
    command: ["/otelcol-contrib", "--config", config],
    identity: "svc-shipper",
    files: [yamlFile(config, shipperYaml(settings))],
    secrets: secretRefs(placement, SHIPPER, TLS_SECRETS),
    volumes: [{ name: "queue", path: queueDir }],
    sockets: [{ name: LOGS_SOCKET, path: socket }],
    health: { kind: "socket", socket: LOGS_SOCKET, startupSeconds: 30 },
    limits: LIMITS,
    network: true,
    exceptions: [
      {
        what: "no health check in its container",
        grants: ["health:none"],
        reason:
          "its image holds one program, which cannot ask itself; the engine sees whether the socket is answered, and the alert LogsNotArriving whether lines arrive",
      },
    ],
  });
}
