import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import {
  CONTROL_HEALTH,
  configFile,
  controlSockets,
  listenConfig,
  ownCommand,
  secretRefs,
  TLS_SECRETS,
  tlsConfig,
} from "../common.ts";
import { metricsMember, metricsPorts } from "../prometheus/metrics-port.ts";
import { ROGUE_GATEWAY } from "../simulator/component.ts";
import { BROKER_IDENTITY, renderAcl } from "./acl.ts";
import { renderMosquittoConf } from "./mosquitto-conf.ts";
import { OPENSSL_CNF } from "./openssl-cnf.ts";

const NAME = "broker";

/** Name of the port that lets services alone in, and each as often as it likes: where there are several collectors. */
export const SERVICES_PORT = "mqtts-services";

/** The port that collectors connect to: several have one certificate, and the other port gives an identity one connection. */
export function collectorsPort({ engine }: Pick<Deployment, "engine">): string {
  return engine === "kubernetes" ? SERVICES_PORT : "mqtts";
}

/** Of the container; Mosquitto may use the first, and its guard the rest. */
const MEMORY_MIB = { mosquitto: 512, guard: 192 } as const;
/** Where Mosquitto finds what its guard has verified; in memory, since a key is among it. */
const LIVE_DIR = "/run/broker";
/** First revocation lists, and a certificate that they revoke on purpose. */
const REVOCATION_SECRETS = ["crl.pem"] as const;
const PROBE_SECRETS = ["probe-revoked.crt", "probe-revoked.key"] as const;

/** The MQTT broker: Mosquitto behind `services/broker-guard`, or `services/broker` on the embedded engine. */
export function broker(deployment: Deployment, placement: Placement): ComponentIn<"ingress"> {
  const stateDir = placement.volumeDir(NAME, "state");
  const common = {
    name: NAME,
    zone: "ingress",
    holds: ["ciphertext", "metadata", "credential"],
    identity: BROKER_IDENTITY,
    ports: [
      { name: "mqtts", port: placement.endpoint(NAME, "mqtts").port, protocol: "tcp", publish: true },
      ...(hasServicesPort(deployment)
        ? [{ name: SERVICES_PORT, port: placement.endpoint(NAME, SERVICES_PORT).port, protocol: "tcp" } as const]
        : []),
      ...metricsPorts(deployment, placement, NAME),
    ],
    volumes: [{ name: "state", path: stateDir }],
    sockets: controlSockets(placement, NAME),
    health: CONTROL_HEALTH,
    limits: { memoryMiB: MEMORY_MIB.mosquitto + MEMORY_MIB.guard, pids: 64, cpus: 1 },
    renewal: "watch",
    network: true,
  } as const;
  return component({
    ...common,
    ...(deployment.engine === "embedded" ? embedded(deployment, placement) : mosquitto(deployment, placement)),
  });
}

function hasServicesPort(deployment: Deployment): boolean {
  return collectorsPort(deployment) === SERVICES_PORT;
}

/** What a broker of either kind learns of revocations, and from whom. */
function trustMembers(placement: Placement) {
  const { host, port, servername } = placement.endpoint("backend", "https");
  return {
    tls: tlsConfig(placement, NAME),
    crlFile: placement.secretFile(NAME, "crl.pem"),
    stateDir: placement.volumeDir(NAME, "state"),
    trust: { url: `https://${host}:${port}`, servername },
  };
}

function embedded(deployment: Deployment, placement: Placement) {
  return {
    service: NAME,
    secrets: secretRefs(placement, NAME, [...TLS_SECRETS, ...REVOCATION_SECRETS]),
    files: configFile(deployment, placement, NAME, {
      ...trustMembers(placement),
      listen: listenConfig(placement, NAME, "mqtts"),
    }),
  } as const;
}

function mosquitto(deployment: Deployment, placement: Placement) {
  const conf = placement.configFile(NAME, "mosquitto.conf");
  const acl = placement.configFile(NAME, "acl");
  const openssl = placement.configFile(NAME, "openssl.cnf");
  const stateDir = placement.volumeDir(NAME, "state");
  const [certFile, keyFile] = PROBE_SECRETS.map((secret) => placement.secretFile(NAME, secret));
  const { gateways, gatewaysElsewhere } = deployment;
  const simulated = deployment.simulator.sensors > 0 ? [ROGUE_GATEWAY] : [];
  const hosts = placement.listenAddresses(NAME, "mqtts");
  const content = renderMosquittoConf({
    hosts,
    port: placement.endpoint(NAME, "mqtts").port,
    servicesPort: hasServicesPort(deployment) ? placement.endpoint(NAME, SERVICES_PORT).port : undefined,
    liveDir: LIVE_DIR,
    aclFile: acl,
    stateDir,
    memoryMiB: MEMORY_MIB.mosquitto,
  });
  return {
    service: "broker-guard",
    image: NAME,
    command: ownCommand(placement, NAME),
    secrets: secretRefs(placement, NAME, [...TLS_SECRETS, ...REVOCATION_SECRETS, ...PROBE_SECRETS]),
    scratch: [{ path: LIVE_DIR, maxMiB: 4 }],
    files: [
      ...configFile(deployment, placement, NAME, {
        ...metricsMember(deployment, placement, NAME),
        ...trustMembers(placement),
        probe: { certFile, keyFile },
        mosquitto: { program: "/usr/sbin/mosquitto", configFile: conf, aclFile: acl, opensslFile: openssl },
        liveDir: LIVE_DIR,
        // By its name it would be asked at any of the container's addresses.
        listener: { ...placement.endpoint(NAME, "mqtts"), host: hosts[0] },
        ...(hasServicesPort(deployment) && {
          servicesListener: { ...placement.endpoint(NAME, SERVICES_PORT), host: hosts[0] },
        }),
      }),
      { path: conf, content, mode: 0o600 },
      {
        path: acl,
        content: renderAcl(deployment.tenant, [...gateways, ...gatewaysElsewhere, ...simulated]),
        mode: 0o600,
      },
      { path: openssl, content: OPENSSL_CNF, mode: 0o600 },
    ],
  } as const;
}
