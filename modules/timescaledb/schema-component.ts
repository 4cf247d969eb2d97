import { type ComponentIn, component } from "../../model/component.ts";
import { type Deployment, runsUpstream } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { ownCommand, secretRefs } from "../common.ts";
import { DATABASE, databaseCa, roleConfigs } from "./component.ts";
import { SUPERUSER } from "./postgres.ts";

const NAME = "schema";

/** The job that makes roles, tables and retention in the database, and ends. */
export function schema(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const { host, port, servername } = placement.endpoint("database", "postgres");
  const { telemetrySeconds, rawSeconds } = deployment.retention;
  const upstream = runsUpstream(deployment.images);
  const roles = roleConfigs(placement, NAME).filter(({ rights }) => upstream || rights === "owner");
  const config = {
    name: NAME,
    tenant: deployment.tenant,
    database: {
      host,
      port,
      database: DATABASE.database,
      tls: { caFile: placement.secretFile(NAME, databaseCa(deployment)), servername },
    },
    roles,
    ...(upstream ? { superuser: SUPERUSER } : {}),
    retention: { telemetrySeconds, rawSeconds },
  };
  return component({
    name: NAME,
    zone: "decryption",
    holds: ["metadata", "credential"],
    service: NAME,
    image: NAME,
    command: ownCommand(placement, NAME),
    files: [{ path: placement.configFile(NAME, "config.json"), content: `${stableJson(config, 2)}\n`, mode: 0o600 }],
    secrets: secretRefs(placement, NAME, [databaseCa(deployment), ...roles.map(({ rights }) => `${rights}.password`)]),
    health: { kind: "exit", startupSeconds: 180 },
    limits: { memoryMiB: 256, pids: 32, cpus: 1 },
    network: true,
  });
}
