import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { claimDirs } from "../../host/claim.ts";
import { type DockerCli, dockerOutput } from "../../host/docker-cli.ts";
import { makePrivateDir, writePrivate } from "../../host/files.ts";
import { takeLock } from "../../host/lock.ts";
import { readState } from "../../host/state.ts";
import { STATE_FILE } from "../cdktf.ts";
import { terraformErrors } from "../terraform/errors.ts";
import { findProgram } from "../terraform/program.ts";
import type { ProgressEvent } from "../terraform/progress.ts";
import { lendStack } from "../terraform/stack-file.ts";
import { type Terraform, terraform } from "../terraform/terraform.ts";
import { dockerLifeErrors } from "./errors.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";
import { resourceNames } from "./words.ts";

/** A rendered deployment whose folder is ours alone until the end of the work, with OpenTofu or Terraform ready. */
export interface Workspace {
  readonly terraform: Terraform;
  /** From here on the stack is what is deployed; without this, that of the last deploy comes back at the end. */
  readonly keepStack: () => void;
  /** Remembers that a plan file was made of the stack as it is now. */
  readonly sealPlan: (planFile: string) => void;
  /** @throws PLAN_STALE when the plan file was made of another stack, or elsewhere */
  readonly assertFresh: (planFile: string) => void;
}

/**
 * Takes the state directory for this process, writes the stack, and does `work`.
 * @throws STATE_LOCKED, STATE_FOREIGN, STATE_UNWRITABLE, TERRAFORM_MISSING, PROVIDER_MISSING, and what `work` throws
 */
export async function inWorkspace<T>(
  options: DockerOptions & { readonly onResource: (event: ProgressEvent) => void },
  { layout, plan, stack }: Rendered,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  readState(layout.stateFile, options.deployment.tenant, "docker");
  const engine = await dockerHost(options);
  // Said once and at once, and not by each resource.
  await dockerOutput(options.docker, ["version", "--format", "{{.Server.Version}}"]);
  claimDirs(layout);
  const unlock = takeLock(layout.lockFile, options.pid);
  try {
    const workDir = layout.terraformDir;
    makePrivateDir(workDir);
    const text = `${stableJson(stack, 2)}\n`;
    using lent = lendStack(workDir, text);
    const { signal } = options;
    const env: NodeJS.ProcessEnv = { ...options.env, DOCKER_HOST: engine };
    const program = await findProgram({
      env,
      signal,
      binary: env.TRUSTKERN_TERRAFORM,
      fallback: options.fallbackProgram,
    });
    const local = options.deployment.state.kind === "local";
    const run = terraform({
      program,
      workDir,
      localState: local ? STATE_FILE : undefined,
      names: resourceNames(plan),
      mirror: await options.providerMirror?.(),
      env,
      signal,
      onProgress: options.onResource,
    });
    await run.init();
    const sealOf = (planFile: string): string => join(workDir, "plans", `${digestOf(readPlan(planFile))}.stack`);
    return await work({
      terraform: run,
      keepStack: lent.keep,
      sealPlan: (planFile) => writePrivate(sealOf(planFile), digestOf(text)),
      assertFresh: (planFile) => {
        const seal = sealOf(planFile);
        if (existsSync(seal) && readFileSync(seal, "utf8") === digestOf(text)) return;
        const why = existsSync(seal)
          ? "for another stack than trustkern.yaml gives now"
          : "for another state directory";
        throw dockerLifeErrors.error("PLAN_STALE", `"${planFile}" was made ${why}`, { path: planFile });
      },
    });
  } finally {
    unlock();
  }
}

/** @throws PLAN_UNUSABLE */
function readPlan(planFile: string): Buffer {
  try {
    return readFileSync(planFile);
  } catch (cause) {
    throw terraformErrors.error("PLAN_UNUSABLE", `cannot read "${planFile}": ${messageOf(cause)}`, {
      path: planFile,
      cause,
    });
  }
}

/**
 * The Docker Engine that the client talks to, for the provider, which knows no context.
 * @throws DOCKER_REMOTE for an engine of another machine: containers mount files of this one
 */
async function dockerHost({ docker, env }: DockerOptions): Promise<string | undefined> {
  const named = env.DOCKER_HOST || (await contextHost(docker));
  if (named === undefined || named.startsWith("unix://")) return named;
  throw dockerLifeErrors.error("DOCKER_REMOTE", `the docker client talks to "${named}"`, { path: "DOCKER_HOST" });
}

/** Undefined where there is no client: then the provider says what it finds. */
async function contextHost(docker: DockerCli): Promise<string | undefined> {
  const asked = await docker(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).catch(() => undefined);
  return asked?.code === 0 ? asked.stdout.trim() || undefined : undefined;
}

function digestOf(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
