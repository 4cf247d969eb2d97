import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { secretRefs } from "../common.ts";
import { caJson } from "./ca-json.ts";

/** Name of the component, and of its authority. */
export const STEP_CA = "step-ca";

/** Its files in the secret store, by what they are. */
export const STEP_CA_SECRETS = {
  root: "ca.crt",
  /** The rendered configuration, with the certificate that tokens must chain to. */
  config: "ca.json",
  cert: "intermediate.crt",
  key: "intermediate.key",
  password: "intermediate.password",
} as const;

/** Used tokens and issued certificates. Without it a token could be used twice. */
const DATABASE = "step-ca.db";

/** The authority that issues while the deployment runs: certificates of gateways, for a day, to whom the backend vouches for. */
export function stepCa(deployment: Deployment, placement: Placement): ComponentIn<"operations"> {
  const name = STEP_CA;
  const { port, servername } = placement.endpoint(name, "https");
  const file = (what: keyof typeof STEP_CA_SECRETS): string => placement.secretFile(name, STEP_CA_SECRETS[what]);
  const dataDir = placement.volumeDir(name, "db");
  const scratch = "/run/step";
  const config = caJson({
    tenant: deployment.tenant,
    gateways: deployment.gateways,
    vouching: "svc-backend",
    listenHost: placement.listenHost,
    port,
    servername,
    rootFile: file("root"),
    certFile: file("cert"),
    keyFile: file("key"),
    databaseFile: `${dataDir}/${DATABASE}`,
  });
  return component({
    name,
    zone: "operations",
    holds: ["signing-key", "metadata", "credential"],
    image: name,
    command: ["/usr/local/bin/step-ca", "--password-file", file("password"), file("config")],
    environment: { STEPPATH: scratch },
    ports: [{ name: "https", port, protocol: "tcp", publish: true }],
    files: [
      {
        path: placement.configFile(name, "ca.json"),
        content: `${stableJson(config, 2)}\n`,
        mode: 0o600,
      },
    ],
    secrets: secretRefs(placement, name, Object.values(STEP_CA_SECRETS)),
    volumes: [{ name: "db", path: dataDir, witness: DATABASE }],
    scratch: [{ path: scratch, maxMiB: 1 }],
    health: {
      kind: "command",
      command: ["/usr/local/bin/step", "ca", "health", "--ca-url", `https://127.0.0.1:${port}`, "--root", file("root")],
      startupSeconds: 30,
    },
    limits: { memoryMiB: 256, pids: 64, cpus: 0.5 },
    network: true,
  });
}
