import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LOCK_FILE, STACK_FILE } from "../../../stacks/docker/terraform/init.ts";
import { runProgram } from "../../../stacks/docker/terraform/run.ts";
import { type ToolsContext, targetPlatform } from "../../tools/context.ts";
import { ensureTool } from "../../tools/ensure-tool.ts";
import { ensurePackedMirror } from "../../tools/provider-mirror.ts";
import { bundleCreateErrors } from "./errors.ts";

/**
 * The lock file of a stack's providers, with the hashes of the toolkit's mirror: no registry is asked.
 * @param stack the Terraform JSON
 * @param temporaryDir where OpenTofu works
 * @throws BUNDLE_LOCK_FAILED, DEPLOY_CANCELLED, and what `ensureTool` throws
 */
export async function providerLock(context: ToolsContext, stack: string, temporaryDir: string): Promise<string> {
  const { signal, env } = context;
  const tofu = await ensureTool(context, "tofu");
  const mirror = await ensurePackedMirror(context);
  const { goos, goarch } = targetPlatform(env);
  const cwd = mkdtempSync(join(temporaryDir, "tk-provider-lock-"));
  try {
    writeFileSync(join(cwd, STACK_FILE), stack);
    // Nothing of what the caller has set up for OpenTofu is to be in a bundle.
    const rc = join(cwd, "cli-config.tfrc");
    writeFileSync(rc, "disable_checkpoint = true\n");
    const { exitCode, stderr } = await runProgram({
      path: tofu,
      args: ["providers", "lock", "-no-color", `-fs-mirror=${mirror}`, `-platform=${goos}_${goarch}`],
      cwd,
      env: { PATH: env.PATH, HOME: cwd, TF_CLI_CONFIG_FILE: rc, TF_DATA_DIR: join(cwd, "data"), TF_IN_AUTOMATION: "1" },
      signal,
      onLine: () => undefined,
    });
    if (exitCode === 0) return readFileSync(join(cwd, LOCK_FILE), "utf8");
    throw bundleCreateErrors.error(
      "BUNDLE_LOCK_FAILED",
      `\`tofu providers lock\` ended with exit code ${exitCode ?? "none"}: ${stderr.trim().slice(-500) || "no word why"}`,
    );
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
