import { z } from "zod";

/** A login role of the database. */
export const roleConfig = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, "must be 1 to 63 of a-z 0-9 _ and begin with a letter")
    .refine((name) => !/^(postgres|public|none|pg_.*|trustkern_.*)$/.test(name), "is reserved"),
  /** Path of a file that holds the password alone. */
  passwordFile: z.string().min(1),
  /** `owner` migrates, `writer` stores telemetry, `reader` only looks. */
  rights: z.enum(["owner", "writer", "reader"]),
});

/** All login roles of a database. */
export const rolesConfig = z
  .array(roleConfig)
  .min(1)
  .refine((roles) => new Set(roles.map(({ name }) => name)).size === roles.length, "names must differ")
  .refine((roles) => roles.filter(({ rights }) => rights === "owner").length === 1, "exactly one role is the owner");

/** What {@link roleConfig} parses to. */
export type RoleConfig = z.infer<typeof roleConfig>;
