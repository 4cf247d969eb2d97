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
import { ROGUE_GATEWAY } from "../simulator/component.ts";
import { BROKER_IDENTITY, HEALTH_TOPIC, renderAcl } from "./acl.ts";
import { renderMosquittoConf } from "./mosquitto-conf.ts";
import { OPENSSL_CNF } from "./openssl-cnf.ts";

const NAME = "broker";
const LIMITS = { memoryMiB: 512, pids: 32, cpus: 1 } as const;

/** The MQTT broker: Mosquitto, or `services/broker` on the embedded engine. */
export function broker(deployment: Deployment, placement: Placement): ComponentIn<"ingress"> {
  const stateDir = placement.volumeDir(NAME, "state");
  const common = {
    name: NAME,
    zone: "ingress",
    holds: ["ciphertext", "metadata", "credential"],
    identity: BROKER_IDENTITY,
    ports: [{ name: "mqtts", port: placement.endpoint(NAME, "mqtts").port, protocol: "tcp", publish: true }],
    secrets: secretRefs(placement, NAME, TLS_SECRETS),
    volumes: [{ name: "state", path: stateDir }],
    limits: LIMITS,
    network: true,
  } as const;
  return component({
    ...common,
    ...(deployment.engine === "embedded" ? embedded(deployment, placement) : mosquitto(deployment, placement)),
  });
}

function embedded(deployment: Deployment, placement: Placement) {
  return {
    service: NAME,
    files: configFile(deployment, placement, NAME, {
      listen: listenConfig(placement, NAME, "mqtts"),
      tls: tlsConfig(placement, NAME),
      stateDir: placement.volumeDir(NAME, "state"),
    }),
    sockets: controlSockets(placement, NAME),
    health: CONTROL_HEALTH,
  } as const;
}

function mosquitto(deployment: Deployment, placement: Placement) {
  const conf = placement.configFile(NAME, "mosquitto.conf");
  const acl = placement.configFile(NAME, "acl");
  const openssl = placement.configFile(NAME, "openssl.cnf");
  const { host, port } = placement.endpoint(NAME, "mqtts");
  const secret = (name: (typeof TLS_SECRETS)[number]) => placement.secretFile(NAME, name);
  const tls = { caFile: secret("ca.crt"), certFile: secret("tls.crt"), keyFile: secret("tls.key") };
  const simulated = deployment.simulator.sensors > 0 ? [ROGUE_GATEWAY] : [];
  const content = renderMosquittoConf({
    host: placement.listenHost,
    port,
    ...tls,
    aclFile: acl,
    persistenceDir: placement.volumeDir(NAME, "state"),
    memoryMiB: LIMITS.memoryMiB,
  });
  return {
    image: NAME,
    command: ["/usr/sbin/mosquitto", "-c", conf],
    environment: { OPENSSL_CONF: openssl },
    files: [
      { path: conf, content, mode: 0o600 },
      { path: acl, content: renderAcl(deployment.tenant, [...deployment.gateways, ...simulated]), mode: 0o600 },
      { path: openssl, content: OPENSSL_CNF, mode: 0o600 },
    ],
    health: {
      kind: "command",
      command: [
        ...["/usr/bin/mosquitto_sub", "-h", host, "-p", String(port), "--tls-version", "tlsv1.3"],
        ...["--cafile", tls.caFile, "--cert", tls.certFile, "--key", tls.keyFile],
        ...["-t", HEALTH_TOPIC, "-C", "1", "-W", "3"],
      ],
      startupSeconds: 30,
    },
  } as const;
}
