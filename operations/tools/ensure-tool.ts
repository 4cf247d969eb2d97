import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cachedFolder } from "./cached-folder.ts";
import { type ToolsContext, targetPlatform } from "./context.ts";
import { goBuild } from "./go-build.ts";
import { type Program, programs, type ToolName, toolModule } from "./programs.ts";

/**
 * The path of a program; builds it when the cache has none of this version, platform, pinned dependencies and flags:
 * `<cacheDir>/tools/<name>-<version>-<goos>-<goarch>-<12 hex>/<name>`.
 * @throws TOOL_GO_MISSING, TOOL_BUILD_FAILED, TOOL_CACHE_UNWRITABLE, TOOL_CANCELLED, TOOL_PLATFORM_UNSUPPORTED
 */
export async function ensureTool(context: ToolsContext, name: ToolName): Promise<string> {
  const program = programs[name];
  const build = {
    label: `${name} ${program.version}`,
    module: toolModule(context.toolsDir, name),
    platform: targetPlatform(context.env),
    flags: flagsOf(program),
    main: program.main,
    cgo: program.cgo ?? false,
  };
  const folder = await cachedFolder(context, toolKey(context, name), (unfinished) =>
    goBuild(context, { ...build, output: join(unfinished, name) }),
  );
  return join(folder, name);
}

/** Names the cache folder of a program: everything that its bytes follow from, but the version of `go`. */
export function toolKey(context: ToolsContext, name: ToolName): string {
  const program = programs[name];
  const { goos, goarch } = targetPlatform(context.env);
  const hash = createHash("sha256").update(JSON.stringify([program.main, flagsOf(program)]));
  if (program.cgo) hash.update("\0cgo");
  const module = toolModule(context.toolsDir, name);
  for (const file of sourcesOf(module)) hash.update(`\0${file}\0`).update(readFileSync(join(module, file)));
  return `${name}-${program.version}-${goos}-${goarch}-${hash.digest("hex").slice(0, 12)}`;
}

function sourcesOf(module: string): readonly string[] {
  return readdirSync(module)
    .filter((file) => /^go\.(mod|sum)$|\.go$/.test(file))
    .sort();
}

function flagsOf(program: Program): readonly string[] {
  const linker = ["-s", "-w", ...program.stamps.map((stamp) => `-X ${stamp}`)].join(" ");
  return ["-trimpath", "-buildvcs=false", `-tags=${program.tags.join(",")}`, `-ldflags=${linker}`];
}
