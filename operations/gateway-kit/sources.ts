import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stableJson } from "../../shared/stable-json.ts";
import { TOOLKIT } from "../bundle/toolkit/layout.ts";
import { type Bundled, bundle, bundled } from "../images/build/bundle.ts";
import { gatewayKitErrors } from "./errors.ts";
import { type KitPlatform, RUNTIMES } from "./platform.ts";
import { kitRuntime, lockedRuntime, type RuntimeContext } from "./runtime.ts";

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

/** Folder of a toolkit that has what kits are made from: the modules, and a lock file with the runtimes. */
export const KIT_FOLDER = "gateway-kit";

const [PROGRAM, PROBE, LOCK] = ["main.mjs", "probe.mjs", "package-lock.json"] as const;

/** What a toolkit has for kits. */
export interface KitFolder {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Files of the project that something of is in them. */
  readonly inputs: readonly string[];
}

/**
 * What a toolkit has in {@link KIT_FOLDER}. No runtime: its own is there, and another platform's is as large as all else.
 * @throws GATEWAY_KIT_RUNTIME, IMAGES_BUNDLE_FAILED
 */
export async function kitFolder(projectDir: string): Promise<KitFolder> {
  const packages = Object.values(RUNTIMES).map((name) => [`node_modules/${name}`, lockedRuntime(projectDir, name)]);
  const [program, probe] = await Promise.all(
    ["gateway", "probe"].map((name) => bundled(projectDir, `services/${name}/main.ts`)),
  );
  const only = (made: Bundled | undefined): Uint8Array => made?.modules.values().next().value ?? Buffer.of();
  return {
    files: new Map([
      [PROGRAM, only(program)],
      [PROBE, only(probe)],
      [LOCK, Buffer.from(`${stableJson({ packages: Object.fromEntries(packages) }, 2)}\n`)],
    ]),
    inputs: [program, probe].flatMap((made) => made?.inputs ?? []),
  };
}

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
 * Taken from a toolkit; its own runtime is that of its own platform.
 * @param root - folder of the toolkit
 * @throws GATEWAY_KIT_SOURCES with the first file that is missing, and as `kitRuntime`
 */
export async function toolkitSources(
  context: Omit<RuntimeContext, "projectDir">,
  root: string,
  platform: KitPlatform,
): Promise<KitSources> {
  const projectDir = join(root, KIT_FOLDER);
  const at = (...path: readonly string[]): string => {
    const file = join(root, ...path);
    if (!existsSync(file)) throw missing(file);
    return file;
  };
  const [program, probe] = [PROGRAM, PROBE].map((name) => readFileSync(at(KIT_FOLDER, name)));
  const isOwn = RUNTIMES[platform] === `node-${process.platform}-${process.arch}` && context.packageFile === undefined;
  const runtime = isOwn
    ? { node: at(TOOLKIT.node), license: at(TOOLKIT.nodeLicence) }
    : await kitRuntime({ ...context, projectDir }, platform);
  return { program: program ?? Buffer.of(), probe: probe ?? Buffer.of(), ...runtime };
}

function missing(file: string): Error {
  return gatewayKitErrors.error("GATEWAY_KIT_SOURCES", `there is no "${file}"`, { path: file });
}
