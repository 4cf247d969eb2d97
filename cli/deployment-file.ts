import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Deployment } from "../model/deployment.ts";
import { parseDeploymentYaml } from "../profiles/parse.ts";
import type { GlobalFlags } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { readInput } from "./files.ts";
import type { Io } from "./io.ts";

const FILE_NAME = "trustkern.yaml";

/** Absolute path of the deployment file: that of `-f`, or the nearest `trustkern.yaml` upwards; undefined without any. */
export function findDeploymentFile(io: Io, flags: GlobalFlags): string | undefined {
  if (flags.file !== undefined) return resolve(io.cwd, flags.file);
  for (let folder = resolve(io.cwd); ; folder = dirname(folder)) {
    const file = join(folder, FILE_NAME);
    if (existsSync(file)) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * The deployment of `-f`, or of the nearest `trustkern.yaml`.
 * @throws CLI_NO_DEPLOYMENT
 * @throws CLI_FILE
 * @throws CONFIG_INVALID
 */
export async function loadDeployment(io: Io, flags: GlobalFlags): Promise<Deployment> {
  const file = findDeploymentFile(io, flags);
  if (file === undefined) {
    throw cliErrors.error("CLI_NO_DEPLOYMENT", `there is no ${FILE_NAME} in "${io.cwd}" or above it`);
  }
  const text = Buffer.from(await readInput(io, file)).toString("utf8");
  return parseDeploymentYaml(text, flags.file ?? FILE_NAME);
}
