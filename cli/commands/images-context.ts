import { dirname, join } from "node:path";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { KNOWN_IMAGES } from "../../operations/images/known-images.ts";
import { LOCK_FILE } from "../../operations/images/lock-file.ts";
import { imageNamesOf } from "../../operations/images/lock-images.ts";
import pkg from "../../package.json" with { type: "json" };
import type { CommandContext } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";

/** Which images a command is about. */
export interface ImagesTarget {
  /** Sorted. */
  readonly names: readonly string[];
  readonly images: Deployment["images"];
  readonly engine: Deployment["engine"];
  /** Tag of the images that are made here. */
  readonly version: string;
  /** Absolute path of the lock file; undefined without a deployment file, which it stands beside. */
  readonly lockFile: string | undefined;
}

/**
 * The images of the deployment's components, or every image where there is no deployment that runs in containers; of them
 * those that `--only` names.
 * @throws CLI_USAGE, CLI_FILE, CONFIG_INVALID, BOUNDARY_BROKEN
 */
export async function imagesTarget({ io, flags, options }: CommandContext): Promise<ImagesTarget> {
  const { deployment, file } = await locateDeployment(io, flags);
  const inContainers = file !== undefined && deployment.engine !== "embedded";
  const all = inContainers
    ? imageNamesOf(buildModel(deployment, referencePlacement(deployment)))
    : Object.keys(KNOWN_IMAGES).sort();
  return {
    names: typeof options.only === "string" ? chosen(options.only, all) : all,
    images: deployment.images,
    engine: deployment.engine,
    version: pkg.version,
    lockFile: file === undefined ? undefined : join(dirname(file), LOCK_FILE),
  };
}

function chosen(only: string, all: readonly string[]): readonly string[] {
  const names = [...new Set(only.split(",").map((name) => name.trim()))].sort();
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length === 0) return names;
  throw cliErrors.error(
    "CLI_USAGE",
    `--only: ${unknown.map((name) => `"${name}"`).join(", ")} is no image of the deployment; accepted: ${all.join(", ")}`,
    { path: "--only", fix: "name images as `trustkern images list` prints them, separated by commas" },
  );
}
