import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stableJson } from "../../../shared/stable-json.ts";
import { parseRuntime, type Runtime, TOOLKIT, TOOLKIT_FOLDER } from "../toolkit/layout.ts";
import { takeFrom } from "../toolkit/unpack.ts";
import { digestOfFile } from "./file-digest.ts";
import { copyHard } from "./hard-copy.ts";
import type { Staging } from "./stage.ts";
import { asUnwritable, syncFolder, writingSite } from "./writing.ts";

/** Digests of what was taken, so that another version can take it over. */
const SUMS = "SHA256SUMS.json";

/**
 * Takes the runtime of the toolkit out of the layers of images that have it anyway, or links that of another version of the site where it
 * is the same and has not changed on the disk. Nothing to do for a version without a toolkit.
 * @throws TOOLKIT_MALFORMED, BUNDLE_SITE_UNWRITABLE, and what the bundle's reader throws
 */
export async function stageRuntime({ bundle, to, others, signal }: Staging): Promise<void> {
  const list = join(to, TOOLKIT_FOLDER, TOOLKIT.runtime);
  const target = join(to, TOOLKIT_FOLDER, "runtime");
  // Under its own name it is whole.
  if (!existsSync(list) || existsSync(target)) return;
  const bytes = readFileSync(list);
  const partial = join(to, "runtime~");
  writingSite(partial, () => rmSync(partial, { recursive: true, force: true }));
  try {
    const same = others.map((other) => join(other, TOOLKIT_FOLDER)).filter((other) => isSame(other, bytes));
    for (const other of same) {
      if (!(await isUnchanged(join(other, "runtime")))) continue;
      copyHard(join(other, "runtime"), partial);
      break;
    }
    if (!existsSync(partial)) await take(parseRuntime(bytes), { bundle, signal }, partial);
  } catch (thrown) {
    throw asUnwritable(target, thrown);
  }
  writingSite(target, () => {
    syncFolder(partial);
    renameSync(partial, target);
    syncFolder(join(to, TOOLKIT_FOLDER));
  });
}

async function take(
  { layers }: Runtime,
  { bundle, signal }: Pick<Staging, "bundle" | "signal">,
  partial: string,
): Promise<void> {
  const takes = new Map(layers.map((layer) => [layer.digest, layer.take]));
  const within = (path: string): string => path.slice("runtime/".length);
  for await (const { digest, content } of bundle.blobs(new Set(takes.keys()), { signal })) {
    const wanted = (takes.get(digest) ?? []).map((one) => ({ ...one, to: within(one.to) }));
    await takeFrom(partial, wanted, content);
  }
  const sums: Record<string, string> = {};
  for (const one of layers.flatMap((layer) => layer.take))
    sums[within(one.to)] = await digestOfFile(join(partial, within(one.to)));
  writeFileSync(join(partial, SUMS), `${stableJson(sums)}\n`, { flush: true });
}

function isSame(toolkit: string, bytes: Buffer): boolean {
  const file = join(toolkit, TOOLKIT.runtime);
  return existsSync(file) && readFileSync(file).equals(bytes);
}

async function isUnchanged(folder: string): Promise<boolean> {
  try {
    const sums: Record<string, string> = JSON.parse(readFileSync(join(folder, SUMS), "utf8"));
    for (const [path, digest] of Object.entries(sums)) {
      const file = join(folder, path);
      if (!lstatSync(file).isFile() || (await digestOfFile(file)) !== digest) return false;
    }
    return Object.keys(sums).length > 0;
  } catch {
    return false;
  }
}
