import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { cachedFolder } from "../tools/cached-folder.ts";
import type { ToolsContext } from "../tools/context.ts";
import { gatewayKitErrors } from "./errors.ts";
import { type KitPlatform, RUNTIMES } from "./platform.ts";

/** The Node runtime of a platform, as files of this machine. */
export interface KitRuntime {
  readonly node: string;
  readonly license: string;
}

/** What the runtime is looked for with. */
export interface RuntimeContext extends ToolsContext {
  /** Folder of the project, with its packages installed. */
  readonly projectDir: string;
}

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
});

/** Its files in the package, and their names in the cache. */
const WANTED: Readonly<Record<string, string>> = { "package/bin/node": "node", "package/LICENSE": "LICENSE" };

/**
 * The Node runtime of a platform: the installed package; of another platform than this machine's, where npm installs none, the
 * package that the lock file names, fetched once into the cache and held to the lock file's hash.
 * @throws GATEWAY_KIT_RUNTIME, GATEWAY_KIT_RUNTIME_DIFFERS, TOOL_CACHE_UNWRITABLE, TOOL_CANCELLED
 */
export async function kitRuntime(context: RuntimeContext, platform: KitPlatform): Promise<KitRuntime> {
  const name = RUNTIMES[platform];
  const installed = installedFolder(context.projectDir, name);
  if (installed !== undefined) return { node: join(installed, "bin", "node"), license: join(installed, "LICENSE") };
  const { version, integrity } = locked(context.projectDir, name);
  const key = `${name}-${version}-${createHash("sha256").update(integrity).digest("hex").slice(0, 12)}`;
  const folder = await cachedFolder(context, key, (unfinished) =>
    fetchPackage(context, { spec: `${name}@${version}`, integrity, folder: unfinished }),
  );
  return { node: join(folder, "node"), license: join(folder, "LICENSE") };
}

function installedFolder(projectDir: string, name: string): string | undefined {
  try {
    return dirname(createRequire(join(projectDir, "package.json")).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function locked(projectDir: string, name: string): { readonly version: string; readonly integrity: string } {
  const file = join(projectDir, "package-lock.json");
  const lock = existsSync(file) ? lockSchema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data : undefined;
  const { version, integrity } = lock?.packages[`node_modules/${name}`] ?? {};
  if (version !== undefined && integrity?.startsWith("sha512-")) return { version, integrity };
  throw gatewayKitErrors.error("GATEWAY_KIT_RUNTIME", `${file} names no package ${name} with its hash`, { path: file });
}

interface Wanted {
  /** `name@version`. */
  readonly spec: string;
  readonly integrity: string;
  readonly folder: string;
}

async function fetchPackage(context: ToolsContext, { spec, integrity, folder }: Wanted): Promise<void> {
  context.onProgress(`fetching ${spec}`);
  const said = await promisify(execFile)(
    "npm",
    ["pack", spec, "--json", "--ignore-scripts", "--pack-destination", folder],
    {
      cwd: folder,
      env: context.env,
      signal: context.signal,
    },
  ).catch((cause: unknown) => {
    if (context.signal.aborted)
      throw gatewayKitErrors.error("GATEWAY_KIT_CANCELLED", `cancelled before ${spec} was there`);
    const message = `${spec} is not installed, and npm does not fetch it: ${firstLine(messageOf(cause))}`;
    throw gatewayKitErrors.error("GATEWAY_KIT_RUNTIME", message, { path: spec, cause });
  });
  const [{ filename }] = z
    .tuple([z.object({ filename: z.string().regex(/^[\w.-]+\.tgz$/) })])
    .parse(JSON.parse(said.stdout));
  const packed = join(folder, filename);
  const bytes = readFileSync(packed);
  if (`sha512-${createHash("sha512").update(bytes).digest("base64")}` !== integrity)
    throw gatewayKitErrors.error("GATEWAY_KIT_RUNTIME_DIFFERS", `${spec} is not the package with ${integrity}`, {
      path: spec,
    });
  const left = new Set(Object.keys(WANTED));
  const entries = extract();
  const unpacked = pipeline(createReadStream(packed), createGunzip(), entries);
  for await (const entry of entries) {
    const to = entry.header.type === "file" ? WANTED[entry.header.name] : undefined;
    if (to === undefined) {
      entry.resume();
      continue;
    }
    writeFileSync(join(folder, to), await buffer(entry), { mode: to === "node" ? 0o755 : 0o644 });
    left.delete(entry.header.name);
  }
  await unpacked;
  if (left.size > 0)
    throw gatewayKitErrors.error("GATEWAY_KIT_RUNTIME_DIFFERS", `${spec} has no ${[...left].join(", ")}`, {
      path: spec,
    });
}

function firstLine(text: string): string {
  return text.split("\n").find((line) => /npm error/.test(line)) ?? text.split("\n")[0] ?? text;
}
