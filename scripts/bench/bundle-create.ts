import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Deployment } from "../../model/deployment.ts";
import { bundledNames } from "../../operations/bundle/create/gather.ts";
import { type BundleImages, bundleImages } from "../../operations/bundle/create/images.ts";
import { groupsOf } from "../../operations/bundle/create/order.ts";
import { packBundle } from "../../operations/bundle/format/write.ts";
import { blobOfBytes } from "../../operations/bundle/toolkit/blobs.ts";
import type { BuildContext } from "../../operations/images/build/contents.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import pkg from "../../package.json" with { type: "json" };
import { readDeploymentYaml } from "../../profiles/parse.ts";
import { type BundleBench, type Measure, sizeOf, timed } from "./bundle.ts";

/** `bundle create` of everything. */
export async function createAll({ folder, cli, sign }: BundleBench): Promise<readonly Measure[]> {
  const out = join(folder, "again.tkb");
  const create = await timed(() => cli("bundle", "create", "-o", out, ...sign));
  return [{ what: "`bundle create`: everything", seconds: create, bytes: sizeOf(out) }];
}

/** The images alone, packed as `bundle create` packs them: what other tools are held against. */
export async function imagesAlone({ folder }: BundleBench): Promise<readonly Measure[]> {
  const { deployment, images } = await exampleImages(folder);
  const configurations = images.images.map(({ config }) => blobOfBytes(Buffer.from(config)));
  const groups = groupsOf({ first: [], layers: images.layers, configurations, files: [] });
  const scratchDir = mkdtempSync(join(folder, "segments-"));
  const common = { tenant: deployment.tenant, deployment: deployment.name, profile: deployment.profile };
  const contents = {
    ...{ ...common, groups, plain: [], images: [] },
    toolkit: { version: pkg.version, platform: "linux-x64" as const },
    files: groups.flat().map(({ digest }) => ({ path: `blobs/${digest.slice(7)}`, digest, executable: false })),
  };
  const watched = { signal: new AbortController().signal, onProgress: () => undefined };
  let bytes = 0;
  const seconds = await timed(async () => {
    const { manifest } = await packBundle(contents, { scratchDir, ...watched });
    bytes = manifest.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  });
  rmSync(scratchDir, { recursive: true });
  return [{ what: "packing the images alone, as `bundle create` does", seconds, bytes }];
}

/** The images of examples/air-gapped, from the cache. */
export async function exampleImages(
  folder: string,
): Promise<{ deployment: Deployment; images: BundleImages; context: BuildContext }> {
  const { deployment } = readDeploymentYaml(readFileSync(join(folder, "trustkern.yaml"), "utf8"), "trustkern.yaml");
  const root = join(import.meta.dirname, "..", "..");
  const context = {
    ...{ cacheDir: defaultCacheDir(process.env, homedir()), projectDir: root, toolsDir: join(root, "tools") },
    ...{ env: process.env, signal: new AbortController().signal, refresh: false, onProgress: () => undefined },
  };
  return { deployment, context, images: await bundleImages(context, bundledNames(deployment), pkg.version) };
}
