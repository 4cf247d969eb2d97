import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import {
  brokerMember,
  CONTROL_HEALTH,
  configFile,
  controlSockets,
  ownCommand,
  PINS_SECRET,
  secretRefs,
  TLS_SECRETS,
  tlsConfig,
} from "../common.ts";
import { KEM_SOCKET } from "../custody/component.ts";
import { CUSTODY_BROKER } from "../custody-broker/component.ts";
import { collectorsPort } from "../mosquitto/component.ts";
import { metricsMember, metricsPorts } from "../prometheus/metrics-port.ts";
import { DATABASE } from "../timescaledb/component.ts";

/** Verifies, opens and stores telemetry, and sends receipts. Never holds a decryption key. */
export function collector(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const name = "collector";
  const stateDir = placement.volumeDir(name, "state");
  const postgres = placement.endpoint("database", "postgres");
  const https = placement.endpoint("backend", "https");
  const { servername } = postgres;
  const verified =
    deployment.engine === "embedded" ? {} : { tls: { caFile: placement.secretFile(name, "ca.crt"), servername } };
  return component({
    name,
    zone: "decryption",
    holds: ["ciphertext", "plaintext", "metadata", "credential"],
    service: "collector",
    image: "collector",
    command: ownCommand(placement, name),
    identity: "svc-collector",
    ports: metricsPorts(deployment, placement, name),
    files: configFile(deployment, placement, name, {
      ...metricsMember(deployment, placement, name),
      broker: brokerMember(placement, name, collectorsPort(deployment)),
      ...(deployment.engine === "kubernetes" && { sharedSubscription: true }),
      tls: tlsConfig(placement, name),
      database: {
        host: postgres.host,
        port: postgres.port,
        database: DATABASE.database,
        user: DATABASE.writer,
        passwordFile: placement.secretFile(name, "database.password"),
        ...verified,
      },
      custody: { kind: "unix", socket: placement.socket(CUSTODY_BROKER, KEM_SOCKET) },
      backend: { url: `https://${https.host}:${https.port}`, servername: https.servername },
      backendKeyFile: placement.secretFile(name, "backend.pub"),
      stateDir,
      workers: deployment.collector.workers,
      batch: { maxMessages: deployment.collector.batchMaxMessages, maxWaitMs: deployment.collector.batchMaxWaitMs },
      quarantineMaxBytes: deployment.retention.quarantineMaxBytes,
    }),
    secrets: secretRefs(placement, name, [...TLS_SECRETS, PINS_SECRET, "database.password", "backend.pub"]),
    volumes: [{ name: "state", path: stateDir }],
    sockets: controlSockets(placement, name),
    renewal: "watch",
    health: CONTROL_HEALTH,
    limits: { memoryMiB: 1024, pids: 64, cpus: 2 },
    network: true,
    workers: true,
  });
}
