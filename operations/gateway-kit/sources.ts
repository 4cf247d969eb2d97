import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../images/build/bundle.ts";
import { gatewayKitErrors } from "./errors.ts";
import type { KitPlatform } from "./platform.ts";
import { kitRuntime, type RuntimeContext } from "./runtime.ts";

/** What of a kit is the same for every gateway. */
export interface KitSources {
  /** The gateway as one module. */
  readonly program: Uint8Array;
  /** Asks its control socket whether it is ready. */
  readonly probe: Uint8Array;
  /** File of the Node runtime of its platform, and of its licence. */
  readonly node: string;
  readonly license: string;
}

/** Folder of a toolkit that has what kits are made from. */
export const PREPARED_FOLDER = "gateway-kit";

/** Names of the same in a folder that was prepared for machines without the project's sources, such as the toolkit of a bundle. */
export const PREPARED = {
  program: "main.mjs",
  probe: "probe.mjs",
  node: (platform: KitPlatform): string => `node-${platform}`,
  license: "LICENSE.node",
} as const;

/**
 * Made from the project's sources and packages.
 * @throws IMAGES_BUNDLE_FAILED, and as `kitRuntime`
 */
export async function projectSources(context: RuntimeContext, platform: KitPlatform): Promise<KitSources> {
  const { projectDir } = context;
  if (!existsSync(join(projectDir, "services", "gateway", "main.ts")))
    throw missing(join(projectDir, "services/gateway"));
  const runtime = await kitRuntime(context, platform);
  const [program, probe] = [
    await bundle(projectDir, "services/gateway/main.ts"),
    await bundle(projectDir, "services/probe/main.ts"),
  ];
  return { program, probe, ...runtime };
}

/**
 * Taken from a folder with the names of {@link PREPARED}.
 * @throws GATEWAY_KIT_SOURCES with the first file that is missing
 */
export function preparedSources(folder: string, platform: KitPlatform): KitSources {
  const at = (name: string): string => {
    const file = join(folder, name);
    if (!existsSync(file)) throw missing(file);
    return file;
  };
  return {
    program: readFileSync(at(PREPARED.program)),
    probe: readFileSync(at(PREPARED.probe)),
    node: at(PREPARED.node(platform)),
    license: at(PREPARED.license),
  };
}

function missing(file: string): Error {
  return gatewayKitErrors.error("GATEWAY_KIT_SOURCES", `there is no "${file}"`, { path: file });
}
