import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildModel } from "../modules/index.ts";
import { referencePlacement } from "../modules/reference-placement.ts";
import { type ImageLock, LOCK_FILE, readImageLock } from "../operations/images/lock-file.ts";
import { pinsOf } from "../operations/images/pins.ts";
import { defaultCacheDir, type ToolsContext } from "../operations/tools/context.ts";
import { ensureTool } from "../operations/tools/ensure-tool.ts";
import { ensureProviderMirror } from "../operations/tools/provider-mirror.ts";
import packageJson from "../package.json" with { type: "json" };
import { type DockerOptions, runAsOf } from "../stacks/docker/life/options.ts";
import { createDockerCli } from "../stacks/host/docker-cli.ts";
import type { CommandContext } from "./command.ts";
import { locateDeployment } from "./deployment-file.ts";
import { cliErrors } from "./errors.ts";
import { cloneFiles, projectFiles, withOwnTofu } from "./project-files.ts";
import { talk } from "./talk.ts";

/** The deployment that a command of the docker engine is for. */
export interface DockerTarget {
  readonly options: DockerOptions;
  /** What `images.lock.yaml` beside the deployment file says. */
  readonly lock: ImageLock | undefined;
}

/**
 * What the programs that are built on this machine are handed.
 * @throws CLI_NEEDS_CLONE
 */
export function toolsContext({ io }: CommandContext, onProgress: (what: string) => void): ToolsContext {
  return {
    cacheDir: defaultCacheDir(io.env, homedir()),
    toolsDir: cloneFiles("building a program").toolsDir,
    env: io.env,
    signal: io.cancelled,
    onProgress,
  };
}

type Programs = Pick<DockerOptions, "providerMirror" | "fallbackProgram">;

/** A toolkit has both. For a clone they are made here, or were put into the cache before, where no registry is asked. */
function programsFor(context: CommandContext, registry: boolean, onProgress: (what: string) => void): Programs {
  if (projectFiles.kind === "toolkit") {
    const { providerMirror, tofu } = projectFiles;
    return { providerMirror: async () => providerMirror, fallbackProgram: async () => tofu };
  }
  if (registry) return { providerMirror: undefined, fallbackProgram: undefined };
  const tools = toolsContext(context, onProgress);
  return { providerMirror: () => ensureProviderMirror(tools), fallbackProgram: () => ensureTool(tools, "tofu") };
}

/**
 * The deployment of `-f`, or of the nearest `trustkern.yaml`, with everything that the docker engine is handed.
 * @throws DOCKER_ENGINE_ONLY, CONFIG_INVALID, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS
 */
export async function dockerTarget(context: CommandContext): Promise<DockerTarget> {
  const { io, flags } = context;
  const { deployment, dir, file } = await locateDeployment(io, flags);
  if (deployment.engine !== "docker") {
    throw cliErrors.error("DOCKER_ENGINE_ONLY", `the deployment has the engine "${deployment.engine}"`, { path: file });
  }
  const lock = readImageLock(join(file === undefined ? io.cwd : dirname(file), LOCK_FILE));
  const model = buildModel(deployment, referencePlacement(deployment));
  const onProgress = talk(context);
  const uid = process.getuid?.() ?? 0;
  return {
    lock,
    options: {
      deployment,
      dir,
      temporaryDir: tmpdir(),
      images: pinsOf(deployment, model, lock, packageJson.version),
      runAs: runAsOf(uid, process.getgid?.() ?? 0),
      mayChown: uid === 0,
      env: withOwnTofu(io.env),
      clock: io.now,
      pid: process.pid,
      signal: io.cancelled,
      docker: createDockerCli(io.env),
      ...programsFor(context, deployment.images.source === "registry", onProgress),
      onProgress,
    },
  };
}
