import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { imagesErrors } from "../errors.ts";
import { type Layer, type LayerEntries, writeLayer } from "./layer.ts";

/** Part of every key: raise it when the same inputs become another layer. */
const FORMAT = 2;

/**
 * A layer of the cache `<cacheDir>/images/layers`, which is made when there is none of these inputs: `<key>` holds the diff id,
 * `<diff id>.tar` the bytes. Whole or not there; two runs that make the same one do each other no harm.
 * @param inputs - everything that the layer's bytes follow from
 * @param refresh - makes it anew all the same
 * @throws IMAGES_CACHE_UNWRITABLE, and whatever `entries` throws
 */
export async function cachedLayer(
  cacheDir: string,
  inputs: object,
  entries: () => Promise<LayerEntries>,
  refresh = false,
): Promise<Layer> {
  const folder = join(cacheDir, "images", "layers");
  const key = createHash("sha256")
    .update(stableJson({ format: FORMAT, arch: process.arch, ...inputs }))
    .digest("hex");
  const note = join(folder, key.slice(0, 32));
  if (!refresh && existsSync(note)) {
    const layer = layerOf(folder, readFileSync(note, "utf8").trim());
    if (existsSync(layer.file)) return layer;
  }
  const made = await entries();
  return writing(folder, async () => {
    mkdirSync(folder, { recursive: true });
    const unfinished = join(folder, `unfinished-${randomUUID()}`);
    try {
      const layer = layerOf(folder, await writeLayer(made, unfinished));
      renameSync(unfinished, layer.file);
      writeFileSync(unfinished, `${layer.diffId}\n`);
      renameSync(unfinished, note);
      return layer;
    } finally {
      rmSync(unfinished, { force: true });
    }
  });
}

function layerOf(folder: string, diffId: string): Layer {
  return { diffId, file: join(folder, `${diffId.replace("sha256:", "")}.tar`) };
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof TrustKernError) throw cause;
    throw imagesErrors.error("IMAGES_CACHE_UNWRITABLE", `cannot write ${path}: ${messageOf(cause)}`, { path, cause });
  }
}
