import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Deployment } from "../../model/deployment.ts";
import { messageOf } from "../../shared/errors.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { hostErrors } from "./errors.ts";
import { writePrivate } from "./files.ts";

const stateSchema = z.strictObject({
  schema: z.enum(["trustkern.embedded-state/1", "trustkern.docker-state/1", "trustkern.kubernetes-state/1"]),
  tenant: z.string().min(1),
  /** RFC 3339. */
  createdAt: z.string().min(1),
  /** `<component>.<port>` to number: tried again at the next start, so that addresses stay the same. */
  ports: z.record(z.string(), z.int().min(1).max(65_535)),
  /** `<component>.<volume>` of every volume that was in use: what is gone from one is a loss, and is never made anew. */
  volumes: z.array(z.string()),
  /** Where the first deploy outside of profile `dev` was; missing in files of before it was remembered. */
  hosting: z.strictObject({ region: z.string().min(1), account: z.string().min(1) }).optional(),
});

/** Engines that keep a state directory. */
export type StatefulEngine = "embedded" | "docker" | "kubernetes";

/** What the engine remembers between two runs. No secret. */
export type HostState = z.infer<typeof stateSchema>;

/**
 * The state of an earlier run, or undefined where there was none.
 * @throws STATE_UNWRITABLE for somebody else's directory
 * @throws STATE_CORRUPT when the file is not one that this program wrote, or belongs to another tenant or engine
 */
export function readState(stateFile: string, tenant: string, engine: StatefulEngine): HostState | undefined {
  let text: string;
  try {
    text = readFileSync(stateFile, "utf8");
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "EACCES" || code === "EPERM") {
      throw hostErrors.error("STATE_UNWRITABLE", `cannot read "${stateFile}": ${messageOf(thrown)}`, {
        path: stateFile,
        fix: "run this as the user who brought the deployment up",
      });
    }
    throw hostErrors.error("STATE_CORRUPT", `cannot read "${stateFile}": ${messageOf(thrown)}`, {
      path: stateFile,
      cause: thrown,
    });
  }
  let state: HostState;
  try {
    state = stateSchema.parse(JSON.parse(text));
  } catch (thrown) {
    const why =
      thrown instanceof z.ZodError
        ? thrown.issues.map((issue) => `${issue.path.join(".") || "file"}: ${issue.message}`).join("; ")
        : messageOf(thrown);
    throw hostErrors.error("STATE_CORRUPT", `"${stateFile}" is not a state file: ${why}`, {
      path: stateFile,
      cause: thrown,
    });
  }
  if (state.tenant !== tenant) {
    throw hostErrors.error(
      "STATE_CORRUPT",
      `"${stateFile}" belongs to tenant "${state.tenant}", and the deployment is of tenant "${tenant}"`,
      { path: stateFile },
    );
  }
  const before = state.schema.slice("trustkern.".length, -"-state/1".length);
  if (before !== engine) {
    throw hostErrors.error(
      "STATE_CORRUPT",
      `"${stateFile}" belongs to the engine "${before}", and the deployment has the engine "${engine}"`,
      { path: stateFile, fix: `say engine: ${before}, or name another state directory with --dir` },
    );
  }
  return state;
}

/** Writes the state, whole or not at all. */
export function writeState(stateFile: string, state: HostState): void {
  writePrivate(stateFile, `${stableJson(state, 2)}\n`);
}

/**
 * Where a deployment is, to be remembered: where it was first, since its rows, keys and volumes are there.
 * @throws HOSTING_MOVED for a deployment that names another region or account than its first deploy; not in profile `dev`
 */
export function settledHosting(
  state: HostState | undefined,
  { profile, hosting }: Pick<Deployment, "profile" | "hosting">,
): HostState["hosting"] {
  const before = state?.hosting;
  if (profile === "dev") return before;
  const { region, account } = hosting;
  if (before === undefined) return { region, account };
  const moved = (["region", "account"] as const).find((member) => before[member] !== hosting[member]);
  if (moved === undefined) return before;
  throw hostErrors.error(
    "HOSTING_MOVED",
    `hosting says region "${region}" and account "${account}", and the first deploy was in region "${before.region}" and account "${before.account}"`,
    { path: `hosting.${moved}` },
  );
}
