import { homedir } from "node:os";
import { join } from "node:path";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";
import { ensureProviderMirror } from "../../operations/tools/provider-mirror.ts";
import { writeCliConfig } from "../../stacks/docker/terraform/environment.ts";
import { PROJECT } from "./deployment.ts";

/**
 * The environment of an operator who has OpenTofu installed and a mirror of its providers: a deployment with images of a registry
 * takes neither from this project.
 */
export async function openTofu(folder: string): Promise<Readonly<Record<string, string>>> {
  const tools = {
    cacheDir: defaultCacheDir(process.env, homedir()),
    toolsDir: join(PROJECT, "tools"),
    env: process.env,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
  const configFile = join(folder, "providers.tfrc");
  writeCliConfig(configFile, await ensureProviderMirror(tools));
  return { TRUSTKERN_TERRAFORM: await ensureTool(tools, "tofu"), TF_CLI_CONFIG_FILE: configFile };
}
