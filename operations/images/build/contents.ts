import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { NODE, PROBE, PROGRAM } from "../../../modules/common.ts";
import type { ToolsContext } from "../../tools/context.ts";
import { ensureTool } from "../../tools/ensure-tool.ts";
import type { ToolName } from "../../tools/programs.ts";
import { imagesErrors } from "../errors.ts";
import type { Asset, ImageContents } from "../known-images.ts";
import { bundle } from "./bundle.ts";
import type { Layer, LayerEntries, LayerEntry } from "./layer.ts";
import { cachedLayer } from "./layers.ts";
import { fetchRootfs, RUNTIME_PACKAGES } from "./rootfs.ts";

/** What making images is handed. */
export interface BuildContext extends ToolsContext {
  /** Folder of the project, with its packages installed. */
  readonly projectDir: string;
  /** Asks Debian again for packages that the cache has. */
  readonly refresh: boolean;
}

/**
 * The layers of an image, lowest first: what the cache has is not made again.
 * @throws IMAGES_MMDEBSTRAP_MISSING, IMAGES_PACKAGES_FAILED, IMAGES_NODE_MISSING, IMAGES_BUNDLE_FAILED,
 * IMAGES_CACHE_UNWRITABLE, IMAGES_CANCELLED, and what `ensureTool` throws
 */
export async function layersOf(context: BuildContext, contents: ImageContents): Promise<readonly Layer[]> {
  switch (contents.kind) {
    case "packages":
      return [await packagesLayer(context, contents.packages, contents.programs)];
    case "tools":
      return [
        await packagesLayer(context, contents.packages ?? [], contents.programs ?? []),
        await toolsLayer(context, contents.tools),
      ];
    case "service":
      return [
        await packagesLayer(context, contents.packages ?? [], contents.programs ?? []),
        await nodeLayer(context),
        await serviceLayer(context, contents.service, contents.assets),
      ];
  }
}

/** The layers that every image of a service begins with: libraries, then Node.js. @throws what {@link layersOf} throws */
export async function runtimeLayers(context: BuildContext): Promise<readonly [packages: Layer, node: Layer]> {
  return [await packagesLayer(context, [], []), await nodeLayer(context)];
}

function packagesLayer(context: BuildContext, more: readonly string[], programs: readonly string[]): Promise<Layer> {
  const packages = [...RUNTIME_PACKAGES, ...more];
  const fetch = (): Promise<LayerEntries> => {
    context.onProgress(`fetching Debian packages: ${packages.join(", ")}`);
    const downloads = join(context.cacheDir, "images", "packages");
    mkdirSync(downloads, { recursive: true });
    return fetchRootfs({ ...context, packages, programs, downloads });
  };
  return cachedLayer(context.cacheDir, { kind: "packages", packages, programs }, fetch, context.refresh);
}

async function toolsLayer(context: BuildContext, tools: Readonly<Partial<Record<ToolName, string>>>): Promise<Layer> {
  const entries = new Map<string, LayerEntry>();
  const keys: Record<string, string> = {};
  for (const [tool, path] of Object.entries(tools)) {
    const from = await ensureTool(context, tool as ToolName);
    entries.set(path, { kind: "copy", from, executable: true });
    keys[path] = basename(dirname(from));
  }
  return cachedLayer(context.cacheDir, { kind: "tools", keys }, async () => entries);
}

function nodeLayer({ cacheDir, projectDir }: BuildContext): Promise<Layer> {
  const name = `node-linux-${process.arch}`;
  const folder = packageFolder(projectDir, name);
  const version = nodeVersion(projectDir);
  const entries = new Map<string, LayerEntry>([
    [inImage(NODE), { kind: "copy", from: join(folder, "bin", "node"), executable: true }],
    ["usr/share/doc/nodejs/copyright", { kind: "copy", from: join(folder, "LICENSE") }],
  ]);
  return cachedLayer(cacheDir, { kind: "node", version }, async () => entries);
}

/** Release of the Node.js that images have. @throws IMAGES_NODE_MISSING */
export function nodeVersion(projectDir: string): string {
  const folder = packageFolder(projectDir, `node-linux-${process.arch}`);
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly version: string }).version;
}

/** Where a package is installed. @throws IMAGES_NODE_MISSING */
export function packageFolder(projectDir: string, name: string): string {
  try {
    return dirname(createRequire(join(projectDir, "package.json")).resolve(`${name}/package.json`));
  } catch (cause) {
    throw imagesErrors.error("IMAGES_NODE_MISSING", `the package ${name} is not installed`, { cause });
  }
}

async function serviceLayer(context: BuildContext, service: string, assets: readonly Asset[]): Promise<Layer> {
  const { projectDir, cacheDir } = context;
  const [program, probe] = await Promise.all(
    [service, "probe"].map((name) => bundle(projectDir, `services/${name}/main.ts`)),
  );
  const files = new Map<string, Uint8Array>([
    [inImage(PROGRAM), program ?? new Uint8Array()],
    [inImage(PROBE), probe ?? new Uint8Array()],
    ...assets.flatMap((asset) => assetFiles(projectDir, asset)),
  ]);
  const digests = [...files].map(([path, content]) => [path, createHash("sha256").update(content).digest("hex")]);
  const entries = new Map<string, LayerEntry>([...files].map(([path, content]) => [path, { kind: "file", content }]));
  return cachedLayer(cacheDir, { kind: "service", digests }, async () => entries);
}

function assetFiles(projectDir: string, { from, to, files }: Asset): readonly (readonly [string, Uint8Array])[] {
  return readdirSync(join(projectDir, from), { recursive: true, encoding: "utf8" })
    .filter((path) => files.test(path))
    .sort()
    .map((path) => [`${to}/${path}`, readFileSync(join(projectDir, from, path))]);
}

function inImage(path: string): string {
  return path.replace(/^\//, "");
}
