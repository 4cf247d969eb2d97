import { createReadStream, statSync } from "node:fs";
import { KIT_FOLDER, kitFolder } from "../../gateway-kit/sources.ts";
import { type BuildContext, runtimeLayers } from "../../images/build/contents.ts";
import type { Layer } from "../../images/build/layer.ts";
import { ensureTool } from "../../tools/ensure-tool.ts";
import type { BlobSource, PlainSource } from "../format/write.ts";
import { type NpmPackage, npmPackages } from "../sbom/npm.ts";
import { blobOfBytes, blobOfFile } from "./blobs.ts";
import { renderLauncher } from "./launcher.ts";
import { platformOf, renderRuntime, TOOLKIT, type ToolkitPlatform } from "./layout.ts";
import { toolkitModules } from "./modules.ts";
import { addOnFiles, programFiles } from "./programs.ts";
import { runtimeOf } from "./runtime.ts";
import { renderStart, START_SCRIPT } from "./start-script.ts";
import { thirdParty } from "./third-party.ts";
import { type ToolkitFile, toolkitPath } from "./toolkit-file.ts";

/** Everything that a toolkit adds to a bundle. */
export interface PreparedToolkit {
  readonly platform: ToolkitPlatform["name"];
  readonly files: readonly ToolkitFile[];
  /** Of images, which the runtime is taken from: libraries, then Node.js. */
  readonly layers: readonly Layer[];
  /** `start.sh`, and the program that it unpacks with. */
  readonly plain: readonly PlainSource[];
  /** What the first segment has to begin with, in this order, since `start.sh` counts its bytes. Anything may follow. */
  readonly first: readonly BlobSource[];
  /** Packages of npm that it has something of. */
  readonly packages: readonly NpmPackage[];
}

/**
 * The toolkit of a bundle: the command line as modules, OpenTofu, the provider, and which layers its runtime is in. The same
 * sources give the same bytes wherever the project lies.
 * @param version - of the project
 * @param deployment - whose site `start.sh` names
 * @throws TOOLKIT_INCOMPLETE, IMAGES_BUNDLE_FAILED, IMAGES_NODE_MISSING, and what `ensureTool` and `layersOf` throw
 */
export async function prepareToolkit(
  context: BuildContext,
  version: string,
  deployment: string,
): Promise<PreparedToolkit> {
  const { projectDir } = context;
  const platform = platformOf(process.platform, process.arch);
  const layers = await runtimeLayers(context);
  const runtime = await runtimeOf(...layers, platform);
  const { modules, inputs } = await toolkitModules(projectDir);
  const addOn = await addOnFiles(projectDir);
  const kit = await kitFolder(projectDir);
  const packages = npmPackages(projectDir, [...inputs, ...addOn.inputs, ...kit.inputs]);
  const files: readonly ToolkitFile[] = [
    made(TOOLKIT.launcher, Buffer.from(renderLauncher(platform)), true),
    made(TOOLKIT.runtime, renderRuntime(runtime)),
    made(TOOLKIT.licences, thirdParty(projectDir, packages)),
    ...[...modules].map(([name, content]) => made(`${TOOLKIT.modules}/${name}`, content)),
    ...[...kit.files].map(([name, content]) => made(`${KIT_FOLDER}/${name}`, content)),
    ...addOn.files,
    ...(await programFiles(context)),
  ];
  // Node.js first: the packages of other images, which follow in the bundle, are much like those of the runtime.
  const layerSources = layers.map(sourceOfLayer).reverse();
  const unpacker = await ensureTool(context, "unzstd");
  const { digest, bytes } = await blobOfFile(unpacker);
  const unzstd = { path: `unzstd-${platform.name}`, digest, bytes };
  const start = renderStart({ version, deployment, platform, files, layers: layerSources, runtime, unzstd });
  return {
    ...{ platform: platform.name, files, layers, packages },
    plain: [
      { path: START_SCRIPT, executable: true, content: Buffer.from(start) },
      { path: unzstd.path, executable: true, content: { file: unpacker } },
    ],
    first: [
      ...new Map([...files.map(({ source }) => source), ...layerSources].map((one) => [one.digest, one])).values(),
    ],
  };
}

function made(path: string, content: Uint8Array, executable = false): ToolkitFile {
  return { path: toolkitPath(path), executable, source: blobOfBytes(content) };
}

function sourceOfLayer({ file, diffId }: Layer): BlobSource {
  return { digest: diffId, bytes: statSync(file).size, open: () => createReadStream(file) };
}
