import { linkSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cachedFolder } from "./cached-folder.ts";
import { type ToolsContext, targetPlatform } from "./context.ts";
import { ensureTool, toolKey } from "./ensure-tool.ts";
import { toolVersion } from "./programs.ts";

const PROVIDER = "terraform-provider-docker";
const HOSTS = ["registry.terraform.io", "registry.opentofu.org"] as const;

/**
 * A filesystem mirror (unpacked layout, `HOST/NAMESPACE/TYPE/VERSION/TARGET`) that has the Docker provider under the
 * host names of both registries, so that OpenTofu and Terraform find the same bytes by either source address.
 * @returns the folder that `provider_installation { filesystem_mirror { path = … } }` names
 * @throws what {@link ensureTool} throws
 */
export async function ensureProviderMirror(context: ToolsContext): Promise<string> {
  const { goos, goarch } = targetPlatform(context.env);
  const version = toolVersion(PROVIDER);
  const binary = await ensureTool(context, PROVIDER);
  return cachedFolder(context, `mirror-of-${toolKey(context, PROVIDER)}`, (unfinished) => {
    for (const host of HOSTS) {
      const target = join(unfinished, host, "kreuzwerker", "docker", version, `${goos}_${goarch}`);
      mkdirSync(target, { recursive: true });
      linkSync(binary, join(target, `${PROVIDER}_v${version}`));
    }
  });
}
