import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { CONTROL_HEALTH, configFile, controlSockets, listenConfig, secretRefs } from "../common.ts";

/** Name of the database and of the roles in it. */
export const DATABASE = { database: "trustkern", owner: "trustkern", writer: "collector", reader: "reader" } as const;

/** The database. The embedded engine runs `services/database` for it. */
export function database(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const name = "database";
  const dataDir = placement.volumeDir(name, "data");
  const role = (rights: "owner" | "writer" | "reader") => ({
    name: DATABASE[rights],
    passwordFile: placement.secretFile(name, `${rights}.password`),
    rights,
  });
  return component({
    name,
    zone: "decryption",
    holds: ["ciphertext", "plaintext", "metadata", "credential"],
    service: "database",
    ports: [{ name: "postgres", port: placement.endpoint(name, "postgres").port, protocol: "tcp" }],
    files: configFile(deployment, placement, name, {
      listen: listenConfig(placement, name, "postgres"),
      dataDir,
      roles: [role("owner"), role("writer"), role("reader")],
      jobsIntervalSeconds: 60,
    }),
    secrets: secretRefs(placement, name, ["owner.password", "writer.password", "reader.password"]),
    volumes: [{ name: "data", path: dataDir, witness: "cluster" }],
    sockets: controlSockets(placement, name),
    health: CONTROL_HEALTH,
    limits: { memoryMiB: 2048, pids: 32, cpus: 2 },
    network: true,
  });
}
