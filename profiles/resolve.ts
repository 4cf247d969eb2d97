import type { Deployment, Retention, StateBackend } from "../model/deployment.ts";
import { parseDuration } from "../shared/durations.ts";
import { tokenSockets } from "./host-socket.ts";
import { PROFILES } from "./index.ts";
import { resolveBoundary } from "./resolve-boundary.ts";
import { resolveCustody } from "./resolve-custody.ts";
import { resolveKubernetes } from "./resolve-kubernetes.ts";
import { resolvePki } from "./resolve-pki.ts";
import type { DeploymentInput } from "./schema.ts";
import { sizeBytes } from "./size.ts";

const DEFAULTS = {
  hosting: { region: "local", account: "local", operator: "self" },
  gateways: ["gw-01"],
  simulator: { sensors: 0, ratePerSecond: 5 },
  collector: { workers: 2, batchMaxMessages: 1000, batchMaxWaitMs: 50 },
  gateway: { spool: "256MiB" },
  network: {
    name: "trustkern",
    channel: 15,
    panId: "7472",
    extPanId: "7472757374000001",
    meshLocalPrefix: "fd00:7472:7573:746b::/64",
  },
  images: { source: "registry", grafana: "present" },
  docker: { publishAddress: "127.0.0.1", subnets: "10.213.0.0/16" },
  retention: { telemetry: "365d", raw: "30d", quarantine: "64MiB" },
} as const;

/** Fills in every default, the profile's before the general ones. The input has been checked. */
export function resolveDeployment(input: DeploymentInput): Deployment {
  const profile = PROFILES[input.profile].defaults;
  const hosting = { ...DEFAULTS.hosting, ...profile.hosting, ...input.hosting };
  const gateway = { ...DEFAULTS.gateway, ...profile.gateway, ...input.gateway };
  const gateways = input.gateways ?? profile.gateways ?? DEFAULTS.gateways;
  const retention = retentionOf({ ...DEFAULTS.retention, ...profile.retention, ...input.retention });
  return {
    name: input.name,
    tenant: input.tenant,
    profile: input.profile,
    engine: input.engine ?? profile.engine ?? "embedded",
    hosting,
    gateways,
    gatewaysElsewhere: input.gatewaysElsewhere ?? [],
    simulator: { ...DEFAULTS.simulator, ...profile.simulator, ...input.simulator },
    collector: { ...DEFAULTS.collector, ...profile.collector, ...input.collector },
    gateway: { spoolMaxBytes: sizeBytes(gateway.spool) },
    network: { ...DEFAULTS.network, ...profile.network, ...input.network },
    ports: portsOf({ ...profile.ports, ...input.ports }, gateways[0]),
    retention,
    images: { ...DEFAULTS.images, ...profile.images, ...input.images },
    ...resolveBoundary(input, input.profile),
    docker: {
      ...DEFAULTS.docker,
      ...tokenSockets(input.name),
      ...profile.docker,
      ...input.docker,
    },
    kubernetes: resolveKubernetes(input.kubernetes, input.name),
    state: stateOf(input.state ?? profile.state),
    pki: resolvePki(input.pki ?? profile.pki, input.name),
    custody: resolveCustody(input.custody, profile.custody, { name: input.name, hosting, retention }),
    fixture: false,
  };
}

function retentionOf(said: { telemetry: string; raw: string; quarantine: string }): Retention {
  return {
    telemetrySeconds: parseDuration(said.telemetry),
    rawSeconds: parseDuration(said.raw),
    quarantineMaxBytes: sizeBytes(said.quarantine),
  };
}

function stateOf(state: DeploymentInput["state"]): StateBackend {
  const { backend = "local", bucket = "", key = "", region = "", endpoint, address = "" } = state ?? {};
  if (backend === "s3") return { kind: backend, bucket, key, region, endpoint };
  return backend === "http" ? { kind: backend, address } : { kind: backend };
}

function portsOf(ports: DeploymentInput["ports"] & {}, firstGateway = ""): Deployment["ports"] {
  const named = {
    "broker.mqtts": ports.broker,
    "backend.https": ports.backend,
    "database.postgres": ports.database,
    "gateways-ca.https": ports["gateways-ca"],
    "operators-ca.https": ports["operators-ca"],
    "grafana.https": ports.grafana,
    "prometheus.https": ports.prometheus,
    [`${firstGateway}.coap`]: ports.gateway,
  };
  const wanted = Object.entries(named).flatMap(([id, port]) => (port === undefined ? [] : [[id, port] as const]));
  return Object.fromEntries(wanted);
}

/** The deployment that `up` runs where there is no `trustkern.yaml`. */
export function defaultDeployment(): Deployment {
  return resolveDeployment({ name: "demo", tenant: "demo", profile: "dev" });
}
