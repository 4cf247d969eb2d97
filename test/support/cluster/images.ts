import { createWriteStream, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type BuiltImage, describeImage, imageArchive } from "../../../operations/images/build/archive.ts";
import type { LayerEntry } from "../../../operations/images/build/layer.ts";
import { cachedLayer } from "../../../operations/images/build/layers.ts";
import { localReference } from "../../../operations/images/known-images.ts";
import { type ToolName, toolVersion } from "../../../operations/tools/programs.ts";
import { type ClusterNode, INSIDE } from "./node.ts";

const ARCHIVE = "images.tar";
const IMPORT_SECONDS = 300;

/** What an image of one program is called. */
export function programImage(name: ToolName): string {
  return localReference(name, toolVersion(name));
}

/** An image that has one program, without a library or a shell beside it. @param file - where `ensureTool` has put it */
export async function imageOfProgram(cacheDir: string, name: ToolName, file: string): Promise<BuiltImage> {
  const entries = new Map<string, LayerEntry>([[name, { kind: "copy", from: file, executable: true }]]);
  const inputs = { kind: "program", key: basename(dirname(file)) };
  const layer = await cachedLayer(cacheDir, inputs, async () => entries);
  const described = { name, reference: programImage(name), version: toolVersion(name), command: [`/${name}`] };
  return describeImage({ ...described, layers: [layer] });
}

/** Gives images to the cluster. Pods name them by their references, and must not ask a registry (`imagePullPolicy: Never`). */
export async function importImages(node: ClusterNode, images: readonly BuiltImage[]): Promise<void> {
  const archive = join(node.state, ARCHIVE);
  try {
    await pipeline(imageArchive(images), createWriteStream(archive, { mode: 0o600 }));
    await node.must(["ctr", "--namespace", "k8s.io", "images", "import", `${INSIDE}/${ARCHIVE}`], {
      timeoutSeconds: IMPORT_SECONDS,
    });
  } finally {
    rmSync(archive, { force: true });
  }
}
