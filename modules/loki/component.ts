import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { oneListenAddress, SERVICES_ONLY, secretRefs, TLS_SECRETS } from "../common.ts";
import { yamlFile } from "../yaml-file.ts";
import { lokiYaml, READY_PORT } from "./loki-yaml.ts";

/** The log lines of every component, security events among them. */
export function loki(_deployment: Deployment, placement: Placement): ComponentIn<"operations"> {
  const name = "loki";
  const program = "/usr/bin/loki";
  const dataDir = placement.volumeDir(name, "data");
  const { port } = placement.endpoint(name, "https");
  const config = placement.configFile(name, "loki.yml");
  const tls = {
    clientCa: placement.secretFile(name, SERVICES_ONLY),
    cert: placement.secretFile(name, "tls.crt"),
    key: placement.secretFile(name, "tls.key"),
  };
  return component({
    name,
    zone: "operations",
    holds: ["metadata", "credential"],
    image: "loki",
    command: [program, `-config.file=${config}`],
    identity: "svc-loki",
    ports: [{ name: "https", port, protocol: "tcp" }],
    files: [yamlFile(config, lokiYaml({ listenHost: oneListenAddress(placement, name, "https"), port, tls, dataDir }))],
    secrets: secretRefs(placement, name, [...TLS_SECRETS, SERVICES_ONLY]),
    volumes: [{ name: "data", path: dataDir }],
    health: {
      kind: "command",
      command: [program, "-health", `-health.url=http://127.0.0.1:${READY_PORT}/ready`],
      startupSeconds: 90,
    },
    limits: { memoryMiB: 512, pids: 64, cpus: 1 },
    network: true,
  });
}
