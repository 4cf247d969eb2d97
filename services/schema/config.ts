import { z } from "zod";
import { commonConfig } from "../runtime/config.ts";
import { rolesConfig } from "../runtime/postgres/role-config.ts";

const { name, tenant, logLevel } = commonConfig;

/** Configuration of the schema job. */
export const schemaConfig = z.strictObject({
  name,
  tenant,
  logLevel,
  database: z.strictObject({
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    database: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, "must be 1 to 63 of a-z 0-9 _ and begin with a letter"),
    tls: z.strictObject({ caFile: z.string().min(1), servername: z.string().min(1) }),
  }),
  /** The owner, as whom the tables are made, and where there is a `superuser` all other roles too. */
  roles: rolesConfig,
  /**
   * Superuser of a real Postgres, which has the owner's password; the job makes the roles as it. `services/database` makes its own.
   * @default none
   */
  superuser: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, "must be 1 to 63 of a-z 0-9 _ and begin with a letter")
    .optional(),
  retention: z.strictObject({ telemetrySeconds: z.int().min(1), rawSeconds: z.int().min(1) }),
  /** How long it waits for the database. */
  waitSeconds: z.int().min(0).max(3600).default(120),
});

/** What {@link schemaConfig} parses to. */
export type SchemaConfig = z.infer<typeof schemaConfig>;
