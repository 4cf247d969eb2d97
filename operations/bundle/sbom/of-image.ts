import { PackageURL } from "packageurl-js";
import { bundled } from "../../images/build/bundle.ts";
import { type BuildContext, nodeVersion } from "../../images/build/contents.ts";
import type { Layer } from "../../images/build/layer.ts";
import type { ImageContents } from "../../images/known-images.ts";
import { ensureTool } from "../../tools/ensure-tool.ts";
import { type ToolName, toolVersion } from "../../tools/programs.ts";
import { debianParts } from "./debian.ts";
import { goParts } from "./golang.ts";
import { npmPackages, npmParts } from "./npm.ts";
import type { Part } from "./part.ts";

/**
 * What an image that is made here is made of.
 * @param layers - as `layersOf` gives them: the lowest has the Debian packages
 * @throws SBOM_UNKNOWN_PARTS, and what `ensureTool` and `bundled` throw
 */
export async function imageParts(
  context: BuildContext,
  contents: ImageContents,
  layers: readonly Layer[],
): Promise<readonly Part[]> {
  const [packages] = layers;
  const parts = packages === undefined ? [] : await debianParts(packages);
  switch (contents.kind) {
    case "packages":
      return parts;
    case "tools":
      return [...parts, ...(await toolParts(context, Object.keys(contents.tools) as ToolName[]))];
    case "service": {
      const programs = [contents.service, "probe"].map((name) =>
        bundled(context.projectDir, `services/${name}/main.ts`),
      );
      const inputs = (await Promise.all(programs)).flatMap((program) => program.inputs);
      const assets = contents.assets.map(({ from }) => `${from}/package.json`);
      return [...parts, nodePart(context), ...npmParts(npmPackages(context.projectDir, [...inputs, ...assets]))];
    }
  }
}

/** Programs that are built from Go modules, with these modules. */
export async function toolParts(context: BuildContext, tools: readonly ToolName[]): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const tool of tools) {
    const version = toolVersion(tool);
    const purl = new PackageURL("generic", undefined, tool, version, undefined, undefined).toString();
    parts.push({ type: "application", name: tool, version, purl });
    parts.push(...(await goParts(await ensureTool(context, tool), context.env, context.signal)));
  }
  return parts;
}

/** The runtime that our programs run on. */
export function nodePart(context: BuildContext): Part {
  const version = nodeVersion(context.projectDir);
  const purl = new PackageURL("generic", undefined, "node", version, undefined, undefined).toString();
  return { type: "application", name: "node", version, purl, licence: "MIT" };
}
