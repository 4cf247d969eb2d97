import { type ComponentIn, component } from "../../model/component.ts";
import { type Deployment, runsUpstream } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { configFile, controlSockets, listenConfig, ownCommand, secretRefs, WAITING_HEALTH } from "../common.ts";
import { externalServer } from "../external.ts";
import { PG_HBA, postgresCommand, SUPERUSER } from "./postgres.ts";

/** Name of the database and of the roles in it. */
export const DATABASE = { database: "trustkern", owner: "trustkern", writer: "collector", reader: "reader" } as const;

const NAME = "database";
const PASSWORDS = ["owner.password", "writer.password", "reader.password"] as const;

/** Secrets with the trust anchors of the database's certificate: the deployment's root, or those of a database that others run. */
export const DATABASE_CAS = ["ca.crt", "database.crt"] as const;

/** Which of {@link DATABASE_CAS} the database's clients verify it with. */
export function databaseCa(deployment: Deployment): (typeof DATABASE_CAS)[number] {
  return externalServer(deployment, NAME)?.caFile === undefined ? "ca.crt" : "database.crt";
}

/** The roles of a service's configuration, with files of that component. */
export function roleConfigs(placement: Placement, component: string) {
  return (["owner", "writer", "reader"] as const).map((rights) => ({
    name: DATABASE[rights],
    passwordFile: placement.secretFile(component, `${rights}.password`),
    rights,
  }));
}

/** The database: TimescaleDB, or `services/database` on the embedded engine and where the images of other makers' programs are ours. */
export function database(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const common = {
    name: NAME,
    zone: "decryption",
    holds: ["ciphertext", "plaintext", "metadata", "credential"],
    ports: [{ name: "postgres", port: placement.endpoint(NAME, "postgres").port, protocol: "tcp" }],
    network: true,
  } as const;
  const upstream = deployment.engine !== "embedded" && runsUpstream(deployment.images);
  return component({ ...common, ...(upstream ? timescaledb(placement) : ours(deployment, placement)) });
}

function ours(deployment: Deployment, placement: Placement) {
  const dataDir = placement.volumeDir(NAME, "data");
  const embedded = deployment.engine === "embedded";
  const tls = { certFile: placement.secretFile(NAME, "tls.crt"), keyFile: placement.secretFile(NAME, "tls.key") };
  return {
    service: NAME,
    image: NAME,
    command: ownCommand(placement, NAME),
    ...(embedded ? {} : { identity: "svc-database" }),
    files: configFile(deployment, placement, NAME, {
      listen: listenConfig(placement, NAME, "postgres"),
      ...(embedded ? {} : { tls }),
      dataDir,
      roles: roleConfigs(placement, NAME),
      jobsIntervalSeconds: 60,
    }),
    secrets: secretRefs(placement, NAME, [...PASSWORDS, ...(embedded ? [] : ["tls.crt", "tls.key"])]),
    volumes: [{ name: "data", path: dataDir, witness: "cluster" }],
    sockets: controlSockets(placement, NAME),
    health: WAITING_HEALTH,
    limits: { memoryMiB: 2048, pids: 32, cpus: 2 },
  } as const;
}

/** The superuser has the owner's password: who holds it, the schema job alone, makes the roles. */
function timescaledb(placement: Placement) {
  const dataDir = placement.volumeDir(NAME, "data");
  const { port } = placement.endpoint(NAME, "postgres");
  const addresses = placement.listenAddresses(NAME, "postgres");
  const hba = placement.configFile(NAME, "pg_hba.conf");
  const secret = (name: string) => placement.secretFile(NAME, name);
  return {
    image: NAME,
    identity: "svc-database",
    command: postgresCommand({
      listenAddresses: addresses,
      port,
      hbaFile: hba,
      certFile: secret("tls.crt"),
      keyFile: secret("tls.key"),
    }),
    environment: {
      PGDATA: `${dataDir}/cluster`,
      POSTGRES_DB: DATABASE.database,
      POSTGRES_USER: SUPERUSER,
      POSTGRES_PASSWORD_FILE: secret("owner.password"),
      NO_TS_TUNE: "true",
    },
    files: [{ path: hba, content: PG_HBA, mode: 0o600 }],
    secrets: secretRefs(placement, NAME, ["owner.password", "tls.crt", "tls.key"]),
    volumes: [{ name: "data", path: dataDir, witness: "cluster/PG_VERSION" }],
    scratch: [
      { path: "/var/run/postgresql", maxMiB: 1 },
      { path: "/tmp", maxMiB: 64 },
    ],
    renewal: "reload",
    health: {
      kind: "command",
      command: ["/usr/local/bin/pg_isready", "-q", "-h", addresses[0], "-p", String(port), "-d", DATABASE.database],
      startupSeconds: 60,
      mayWait: true,
    },
    // A process for each connection and each background worker.
    limits: { memoryMiB: 2048, pids: 160, cpus: 2 },
  } as const;
}
