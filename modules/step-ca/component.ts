import { issuingServerName, type OnlineClass } from "../../certs/names.ts";
import { stepCaComponent } from "../../certs/step-ca/names.ts";
import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { oneListenAddress, secretRefs } from "../common.ts";
import { caJson } from "./ca-json.ts";
import { issuingKey, KEY_SECRETS } from "./issuing-key.ts";

/** Its files in the secret store, by what they are. */
export const STEP_CA_SECRETS = {
  root: "ca.crt",
  /** The rendered configuration, with what its provisioners trust. */
  config: "ca.json",
  cert: "intermediate.crt",
  ...KEY_SECRETS,
} as const;

/** Those that every authority has, wherever its key is. */
const COMMON = [STEP_CA_SECRETS.root, STEP_CA_SECRETS.config, STEP_CA_SECRETS.cert];

/** Used tokens, issued and revoked certificates. Without it a token could be used twice, and a revocation would be gone. */
const DATABASE = "step-ca.db";

/** The operators that a deployment knows. */
const OPERATORS = ["op-admin"] as const;

/**
 * The authority of one class of leaves while the deployment runs: it holds the class's key, signs for whom the backend's
 * enrolment answers, and publishes the class's CRL.
 */
export function stepCa(
  deployment: Deployment,
  placement: Placement,
  leafClass: OnlineClass,
): ComponentIn<"operations"> {
  const { tenant } = deployment;
  const name = stepCaComponent(leafClass);
  const { port } = placement.endpoint(name, "https");
  const file = (what: keyof typeof STEP_CA_SECRETS): string => placement.secretFile(name, STEP_CA_SECRETS[what]);
  const backend = placement.endpoint("backend", "https");
  const dataDir = placement.volumeDir(name, "db");
  const scratch = "/run/step";
  const key = issuingKey(deployment, placement, leafClass);
  const config = caJson({
    leafClass,
    tenant,
    names: leafClass === "gateways" ? [...deployment.gateways, ...deployment.gatewaysElsewhere] : OPERATORS,
    backendUrl: `https://${backend.host}:${backend.port}`,
    listenHost: oneListenAddress(placement, name, "https"),
    port,
    servername: issuingServerName(leafClass, tenant),
    rootFile: file("root"),
    certFile: file("cert"),
    ...key.config,
    databaseFile: `${dataDir}/${DATABASE}`,
  });
  return component({
    name,
    zone: "operations",
    holds: ["signing-key", "metadata", "credential"],
    image: key.image,
    command: ["/usr/local/bin/step-ca", ...key.args, file("config")],
    // It trusts whom the system trusts beside its own root: here, that is the root alone, unless its key is with a public server.
    environment: {
      STEPPATH: scratch,
      SSL_CERT_FILE: file("root"),
      SSL_CERT_DIR: `${scratch}/none`,
      ...key.environment,
    },
    ports: [{ name: "https", port, protocol: "tcp", publish: true }],
    files: [{ path: placement.configFile(name, "ca.json"), content: `${stableJson(config, 2)}\n`, mode: 0o600 }],
    secrets: secretRefs(placement, name, [...COMMON, ...key.secrets]),
    volumes: [{ name: "db", path: dataDir, witness: DATABASE }],
    scratch: [{ path: scratch, maxMiB: 1 }],
    health: {
      kind: "command",
      command: ["/usr/local/bin/step", "ca", "health", "--ca-url", `https://127.0.0.1:${port}`, "--root", file("root")],
      startupSeconds: 30,
    },
    limits: { memoryMiB: 256, pids: 64, cpus: 0.5 },
    exceptions: key.exceptions,
    renewal: "reload",
    network: true,
  });
}
