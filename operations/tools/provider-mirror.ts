import { linkSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cachedFolder } from "./cached-folder.ts";
import { type ToolsContext, targetPlatform } from "./context.ts";
import { ensureTool, toolKey } from "./ensure-tool.ts";
import { ensurePacked, PACKED } from "./packed.ts";
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
  const program = await ensureTool(context, PROVIDER);
  return mirrorOf(context, `mirror-of-${toolKey(context, PROVIDER)}`, { "": program });
}

/**
 * The same mirror with the provider packed, as a toolkit has it. OpenTofu and Terraform start the first file, by name, that is called
 * like the provider, and hash both.
 * @throws what {@link ensurePacked} throws
 */
export async function ensurePackedMirror(context: ToolsContext): Promise<string> {
  const { starter, packed } = await ensurePacked(context, PROVIDER);
  const key = `mirror-of-packed-${toolKey(context, PROVIDER)}-${toolKey(context, "unzstd")}-zstd-${process.versions.zstd}`;
  return mirrorOf(context, key, { "": starter, [PACKED]: packed });
}

/** @param files - by what their names have after the provider's */
function mirrorOf(context: ToolsContext, key: string, files: Readonly<Record<string, string>>): Promise<string> {
  const { goos, goarch } = targetPlatform(context.env);
  const version = toolVersion(PROVIDER);
  return cachedFolder(context, key, (unfinished) => {
    for (const host of HOSTS) {
      const target = join(unfinished, host, "kreuzwerker", "docker", version, `${goos}_${goarch}`);
      mkdirSync(target, { recursive: true });
      for (const [after, file] of Object.entries(files))
        linkSync(file, join(target, `${PROVIDER}_v${version}${after}`));
    }
  });
}
