import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Deployment } from "../model/deployment.ts";
import { type LineResult, profileLines } from "../profiles/lines.ts";
import { type ReadDeployment, readDeploymentYaml } from "../profiles/parse.ts";
import { defaultDeployment } from "../profiles/resolve.ts";
import { deploymentWarnings } from "../profiles/warnings.ts";
import type { GlobalFlags } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { readInput } from "./files.ts";
import type { Io } from "./io.ts";

const FILE_NAME = "trustkern.yaml";

/** Absolute path of the deployment file: that of `-f`, or the nearest `trustkern.yaml` upwards; undefined without any. */
function findDeploymentFile(io: Io, flags: GlobalFlags): string | undefined {
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
  return (await readDeployment(io, flags)).deployment;
}

async function readDeployment(io: Io, flags: GlobalFlags): Promise<ReadDeployment> {
  const file = findDeploymentFile(io, flags);
  if (file === undefined) {
    throw cliErrors.error("CLI_NO_DEPLOYMENT", `there is no ${FILE_NAME} in "${io.cwd}" or above it`);
  }
  const text = Buffer.from(await readInput(io, file)).toString("utf8");
  const read = readDeploymentYaml(text, flags.file ?? FILE_NAME);
  warnOnce(read.deployment, io);
  return read;
}

const WARNED = new WeakSet<Io>();

/** A command may read the file several times; what it is warned of is the same. */
function warnOnce(deployment: Deployment, io: Io): void {
  if (WARNED.has(io)) return;
  WARNED.add(io);
  for (const { path, message } of deploymentWarnings(deployment, io.now())) io.stderr(`warning: ${path}: ${message}\n`);
}

/** A deployment, where it was read from, and where its state is. */
export interface LocatedDeployment {
  readonly deployment: Deployment;
  /** Every line of its profile. */
  readonly lines: readonly LineResult[];
  /** Undefined for the default deployment. */
  readonly file: string | undefined;
  readonly dir: string;
}

/**
 * The deployment of {@link loadDeployment}, or the default one where there is no file; and its state directory: `--dir`, or `.trustkern`
 * beside the file. `--dir` says nothing of the deployment: its root's key is where the file says, wherever the state is.
 * @throws CLI_FILE
 * @throws CONFIG_INVALID
 */
export async function locateDeployment(io: Io, flags: GlobalFlags): Promise<LocatedDeployment> {
  if (flags.dir === "") throw cliErrors.error("CLI_USAGE", "--dir is empty; accepted: a directory", { path: "--dir" });
  const file = findDeploymentFile(io, flags);
  const beside = file === undefined ? io.cwd : dirname(file);
  const byDefault = { deployment: defaultDeployment(), lines: profileLines({ profile: "dev" }) };
  return {
    ...(file === undefined ? byDefault : await readDeployment(io, flags)),
    file,
    dir: flags.dir === undefined ? join(beside, ".trustkern") : resolve(io.cwd, flags.dir),
  };
}
