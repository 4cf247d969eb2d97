import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stableJson } from "../../../shared/stable-json.ts";
import { claimDirs } from "../../host/claim.ts";
import { holds, makePrivateDir, writePrivate } from "../../host/files.ts";
import { takeLock } from "../../host/lock.ts";
import { STATE_FILE } from "../cdktf.ts";
import { STACK_FILE } from "../terraform/init.ts";
import { findProgram } from "../terraform/program.ts";
import type { ProgressEvent } from "../terraform/progress.ts";
import { type Terraform, terraform } from "../terraform/terraform.ts";
import { dockerLifeErrors } from "./errors.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";
import { resourceNames } from "./words.ts";

/** A rendered deployment whose folder is ours alone until the end of the work, with OpenTofu or Terraform ready. */
export interface Workspace {
  readonly terraform: Terraform;
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
  claimDirs(layout);
  const unlock = takeLock(layout.lockFile, options.pid);
  try {
    const workDir = layout.terraformDir;
    makePrivateDir(workDir);
    const text = `${stableJson(stack, 2)}\n`;
    if (!holds(join(workDir, STACK_FILE), text)) writePrivate(join(workDir, STACK_FILE), text);
    const { env, signal } = options;
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
    const sealOf = (planFile: string): string => join(workDir, "plans", `${digestOf(readFileSync(planFile))}.stack`);
    return await work({
      terraform: run,
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

function digestOf(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
