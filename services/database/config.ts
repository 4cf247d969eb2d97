import { z } from "zod";
import { commonConfig, listenConfig, tlsConfig } from "../runtime/config.ts";
import { rolesConfig } from "../runtime/postgres/role-config.ts";

/** Configuration of `services/database`. */
export const databaseConfig = z.strictObject({
  ...commonConfig,
  listen: listenConfig,
  /** With it the server speaks TLS 1.3 alone; without it no TLS at all, for the loopback address of one machine. */
  tls: tlsConfig.omit({ caFile: true }).optional(),
  /** Folder of the cluster; made when it is not there. */
  dataDir: z.string().min(1),
  roles: rolesConfig,
  /** Seconds between two looks for due Timescale jobs. */
  jobsIntervalSeconds: z.int().min(1).max(3600).default(30),
  /** Seconds that a client may hold the engine in a transaction without a message, before it is thrown out. */
  transactionIdleSeconds: z.int().min(1).max(3600).default(10),
  /** Largest COPY FROM STDIN in bytes; it is held in memory until it is complete. */
  maxCopyBytes: z.int().min(65_536).max(1_073_741_824).default(67_108_864),
  maxClients: z.int().min(1).max(1000).default(100),
});

/** What {@link databaseConfig} parses to. */
export type DatabaseConfig = z.infer<typeof databaseConfig>;
