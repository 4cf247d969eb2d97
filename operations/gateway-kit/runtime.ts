import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
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
  /** File of the platform's package, as npm packs it. @default the installed one, or npm is asked for it */
  readonly packageFile?: string | undefined;
}

/** A package by its version, and the hash that it has (subresource integrity, SHA-512). */
export interface LockedRuntime {
  readonly version: string;
  readonly integrity: string;
}

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
});

const answerSchema = z.tuple([z.object({ filename: z.string().regex(/^[\w.-]+\.tgz$/) })]);

/** Its files in the package, and their names in the cache. */
const WANTED: Readonly<Record<string, string>> = { "package/bin/node": "node", "package/LICENSE": "LICENSE" };

/**
 * The Node runtime of a platform: the installed package; of another platform than this machine's, where npm installs none, the
 * package that the lock file names, fetched once into the cache or brought as a file. Both are held to the lock file's hash.
 * @throws GATEWAY_KIT_RUNTIME, GATEWAY_KIT_RUNTIME_DIFFERS, TOOL_CACHE_UNWRITABLE, TOOL_CANCELLED
 */
export async function kitRuntime(context: RuntimeContext, platform: KitPlatform): Promise<KitRuntime> {
  const name = RUNTIMES[platform];
  const { packageFile } = context;
  const installed = installedFolder(context.projectDir, name);
  if (installed !== undefined && packageFile === undefined)
    return { node: join(installed, "bin", "node"), license: join(installed, "LICENSE") };
  const { version, integrity } = lockedRuntime(context.projectDir, name);
  const key = `${name}-${version}-${createHash("sha256").update(integrity).digest("hex").slice(0, 12)}`;
  const spec = `${name}@${version}`;
  const folder = await cachedFolder(context, key, async (unfinished) =>
    unpack(packageFile ?? (await fetchPackage(context, spec, unfinished)), { spec, integrity, folder: unfinished }),
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

/**
 * What the lock file of a folder says of a runtime's package.
 * @throws GATEWAY_KIT_RUNTIME where it does not
 */
export function lockedRuntime(projectDir: string, name: string): LockedRuntime {
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

/** Has npm fetch a package into a folder. */
async function fetchPackage(context: ToolsContext, spec: string, folder: string): Promise<string> {
  context.onProgress(`fetching ${spec}`);
  const args = ["pack", spec, "--json", "--ignore-scripts", "--pack-destination", folder];
  const how = { cwd: folder, env: context.env, signal: context.signal };
  const said = await promisify(execFile)("npm", args, how).catch((cause: unknown) => {
    if (context.signal.aborted)
      throw gatewayKitErrors.error("GATEWAY_KIT_CANCELLED", `cancelled before ${spec} was there`);
    const message = `${spec} is not installed, and npm does not fetch it: ${firstLine(messageOf(cause))}`;
    throw gatewayKitErrors.error("GATEWAY_KIT_RUNTIME", message, { path: spec, cause });
  });
  return join(folder, answerSchema.parse(JSON.parse(said.stdout))[0].filename);
}

async function unpack(packed: string, { spec, integrity, folder }: Wanted): Promise<void> {
  const bytes = readPackage(packed);
  if (`sha512-${createHash("sha512").update(bytes).digest("base64")}` !== integrity)
    throw gatewayKitErrors.error("GATEWAY_KIT_RUNTIME_DIFFERS", `${spec} is not the package with ${integrity}`, {
      path: spec,
    });
  const left = new Set(Object.keys(WANTED));
  const entries = extract();
  // The bytes that were held to the hash, and not what lies there by now.
  const unpacked = pipeline(Readable.from([bytes]), createGunzip(), entries);
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

function readPackage(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw gatewayKitErrors.error("GATEWAY_KIT_RUNTIME", `cannot read "${file}": ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
}

function firstLine(text: string): string {
  return text.split("\n").find((line) => /npm error/.test(line)) ?? text.split("\n")[0] ?? text;
}
