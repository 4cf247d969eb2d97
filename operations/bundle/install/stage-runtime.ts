import { existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseRuntime, type Runtime, TOOLKIT, TOOLKIT_FOLDER } from "../toolkit/layout.ts";
import { takeFrom } from "../toolkit/unpack.ts";
import { digestOfFile } from "./file-digest.ts";
import type { Staging } from "./stage.ts";
import { asUnwritable, syncFolder, writingSite } from "./writing.ts";

type Layers = Runtime["layers"];
type Take = Layers[number]["take"][number];

/**
 * Takes the runtime of the toolkit out of the layers of images that have it anyway, or links what another version of the site has of
 * it: its list is a signed file of the bundle, and nothing that lies on the disk is believed beside it. Nothing to do for a version
 * without a toolkit.
 * @throws TOOLKIT_MALFORMED, BUNDLE_SITE_UNWRITABLE, and what the bundle's reader throws
 */
export async function stageRuntime({ bundle, to, others, signal }: Staging): Promise<void> {
  const toolkit = join(to, TOOLKIT_FOLDER);
  if (!existsSync(join(toolkit, TOOLKIT.runtime)) || (await isRuntimeWhole(to))) return;
  const { layers } = parseRuntime(readFileSync(join(toolkit, TOOLKIT.runtime)));
  const [target, partial] = [join(toolkit, "runtime"), join(to, "runtime~")];
  writingSite(partial, () => {
    for (const folder of [partial, target]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(partial, { mode: 0o755 });
  });
  try {
    const left = await linkFrom(others, layers, partial);
    for await (const { digest, content } of bundle.blobs(new Set(left.keys()), { signal }))
      await takeFrom(partial, left.get(digest) ?? [], content);
  } catch (thrown) {
    throw asUnwritable(target, thrown);
  }
  writingSite(target, () => {
    syncFolder(partial);
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

/** Links what other versions have just so. @returns what is left to be taken out of layers */
async function linkFrom(others: readonly string[], layers: Layers, partial: string): Promise<Map<string, Take[]>> {
  const left = new Map<string, Take[]>();
  for (const { digest, take } of layers) {
    for (const one of take) {
      if (await linkOne(others, one, partial)) continue;
      left.set(digest, [...(left.get(digest) ?? []), one]);
    }
  }
  return left;
}

async function linkOne(others: readonly string[], one: Take, partial: string): Promise<boolean> {
  for (const other of others) {
    const candidate = join(other, TOOLKIT_FOLDER, one.to);
    if (!(await isThat(candidate, one))) continue;
    mkdirSync(dirname(join(partial, one.to)), { recursive: true, mode: 0o755 });
    linkSync(candidate, join(partial, one.to));
    return true;
  }
  return false;
}

/** Everything in a folder but folders, by paths that begin with its name. */
function filesIn(above: string, folder: string): readonly string[] {
  return readdirSync(join(above, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(above, path) : [path];
  });
}

async function isThat(file: string, { digest, executable }: Pick<Take, "digest" | "executable">): Promise<boolean> {
  try {
    const stats = lstatSync(file);
    if (!stats.isFile() || (stats.mode & 0o777) !== (executable ? 0o755 : 0o644)) return false;
    return (await digestOfFile(file)) === digest;
  } catch {
    return false;
  }
}
