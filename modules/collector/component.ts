import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import {
  brokerMember,
  CRL_SECRET,
  configFile,
  controlSockets,
  ownCommand,
  PINS_SECRET,
  secretRefs,
  TLS_SECRETS,
  tlsConfig,
  WAITING_HEALTH,
} from "../common.ts";
import { KEM_SOCKET } from "../custody/component.ts";
import { CUSTODY_BROKER } from "../custody-broker/component.ts";
import { collectorsPort } from "../mosquitto/component.ts";
import { metricsMember, metricsPorts } from "../prometheus/metrics-port.ts";
import { DATABASE, databaseCa } from "../timescaledb/component.ts";

/** Verifies, opens and stores telemetry, and sends receipts. Never holds a decryption key. */
export function collector(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const name = "collector";
  const stateDir = placement.volumeDir(name, "state");
  const postgres = placement.endpoint("database", "postgres");
  const https = placement.endpoint("backend", "https");
  const { servername } = postgres;
  const verified =
    deployment.engine === "embedded"
      ? {}
      : { tls: { caFile: placement.secretFile(name, databaseCa(deployment)), servername } };
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
      tls: { ...tlsConfig(placement, name), ...revocations(deployment, placement) },
      database: {
        host: postgres.host,
        port: postgres.port,
        database: DATABASE.database,
        user: DATABASE.writer,
        passwordFile: placement.secretFile(name, "database.password"),
        ...verified,
      },
      ...custodyMember(deployment, placement),
      backend: { url: `https://${https.host}:${https.port}`, servername: https.servername },
      backendKeyFile: placement.secretFile(name, "backend.pub"),
      stateDir,
      workers: deployment.collector.workers,
      batch: { maxMessages: deployment.collector.batchMaxMessages, maxWaitMs: deployment.collector.batchMaxWaitMs },
      quarantineMaxBytes: deployment.retention.quarantineMaxBytes,
    }),
    secrets: secretRefs(placement, name, [
      ...new Set([...TLS_SECRETS, PINS_SECRET, "database.password", "backend.pub", databaseCa(deployment)]),
      ...(deployment.engine === "kubernetes" ? [CRL_SECRET] : []),
    ]),
    replicas: deployment.engine === "kubernetes" ? deployment.kubernetes.collector.min : 1,
    volumes: [{ name: "state", path: stateDir }],
    sockets: controlSockets(placement, name),
    renewal: "watch",
    health: WAITING_HEALTH,
    limits: { memoryMiB: 1024, pids: 64, cpus: 2 },
    network: true,
    workers: true,
  });
}

/** Over the network, whoever answers as custody's broker is held against the revocation lists. */
function revocations({ engine }: Deployment, placement: Placement): object {
  return engine === "kubernetes" ? { crlFile: placement.secretFile("collector", CRL_SECRET) } : {};
}

/** How custody is asked: on a Unix socket, or in a cluster, where there are several collectors, over the network. */
function custodyMember({ engine }: Deployment, placement: Placement): object {
  if (engine !== "kubernetes")
    return { custody: { kind: "unix", socket: placement.socket(CUSTODY_BROKER, KEM_SOCKET) } };
  const custody = { kind: "mtls", ...placement.endpoint(CUSTODY_BROKER, KEM_SOCKET) };
  return { custody, sharedSubscription: true };
}
