import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseRuntime, type Runtime, TOOLKIT, TOOLKIT_FOLDER } from "../toolkit/layout.ts";
import { toolkitPath } from "../toolkit/toolkit-file.ts";
import { takeFrom } from "../toolkit/unpack.ts";
import { digestOfFile } from "./file-digest.ts";
import { candidatesOf, type LinkSources, linkOneOf } from "./link.ts";
import type { Staging } from "./stage.ts";
import { asUnwritable, syncFolder, writingSite } from "./writing.ts";

type Layers = Runtime["layers"];
type Take = Layers[number]["take"][number];

/**
 * Takes the runtime of the toolkit out of the layers of images that have it anyway, or links what another version of the site, or the toolkit
 * that runs, has of it: its list is a signed file of the bundle, and nothing that lies on the disk is believed beside it. Nothing to do for a version
 * without a toolkit.
 * @throws TOOLKIT_MALFORMED, BUNDLE_SITE_UNWRITABLE, and what the bundle's reader throws
 */
export async function stageRuntime(staging: Staging): Promise<void> {
  const { bundle, to, signal } = staging;
  const toolkit = join(to, TOOLKIT_FOLDER);
  if (!existsSync(join(toolkit, TOOLKIT.runtime)) || (await isRuntimeWhole(to))) return;
  const { layers } = parseRuntime(readFileSync(join(toolkit, TOOLKIT.runtime)));
  const [target, partial] = [join(toolkit, "runtime"), join(to, "runtime~")];
  writingSite(partial, () => {
    for (const folder of [partial, target]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(partial, { mode: 0o755 });
  });
  try {
    const left = await linkAll(staging, layers, partial);
    for await (const { digest, content } of bundle.blobs(new Set(left.keys()), { signal }))
      await takeFrom(partial, left.get(digest) ?? [], content);
  } catch (thrown) {
    throw asUnwritable(target, thrown);
  }
  writingSite(target, () => {
    syncFolders(partial);
    renameSync(join(partial, "runtime"), target);
    rmSync(partial, { recursive: true });
    syncFolder(toolkit);
  });
}

/** Whether the runtime of a version's folder is what its list says, and nothing more; the list has been held against the manifest. */
export async function isRuntimeWhole(versionFolder: string): Promise<boolean> {
  const toolkit = join(versionFolder, TOOLKIT_FOLDER);
  const list = join(toolkit, TOOLKIT.runtime);
  if (!existsSync(list)) return true;
  const takes = parseRuntime(readFileSync(list)).layers.flatMap(({ take }) => take);
  const listed = new Set(takes.map(({ to }) => to));
  if (!existsSync(join(toolkit, "runtime")) || filesIn(toolkit, "runtime").some((path) => !listed.has(path)))
    return false;
  for (const one of takes) if (!(await isThat(join(toolkit, one.to), one))) return false;
  return true;
}

/** Links what lies elsewhere just so. @returns what is left to be taken out of layers */
async function linkAll(sources: LinkSources, layers: Layers, partial: string): Promise<Map<string, Take[]>> {
  const left = new Map<string, Take[]>();
  for (const { digest, take } of layers) {
    for (const one of take) {
      const candidates = candidatesOf(sources, toolkitPath(one.to));
      if (await linkOneOf(candidates, join(partial, one.to), (file) => isThat(file, one))) continue;
      left.set(digest, [...(left.get(digest) ?? []), one]);
    }
  }
  return left;
}

/** Names that were made below a folder, down to the disk. */
function syncFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) syncFolders(join(folder, entry.name));
  syncFolder(folder);
}

/** Everything in a folder but folders, by paths that begin with its name. */
function filesIn(above: string, folder: string): readonly string[] {
  return readdirSync(join(above, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(above, path) : [path];
  });
}

async function isThat(file: string, { digest, bytes, executable }: Take): Promise<boolean> {
  try {
    const stats = lstatSync(file);
    if (!stats.isFile() || stats.size !== bytes || (stats.mode & 0o777) !== runtimeModeOf(executable)) return false;
    return (await digestOfFile(file)) === digest;
  } catch {
    return false;
  }
}

/** Rights of a file of a runtime, as it comes out of a layer. */
export function runtimeModeOf(executable: boolean): number {
  return executable ? 0o755 : 0o644;
}
