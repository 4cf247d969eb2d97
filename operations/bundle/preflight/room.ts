import { existsSync } from "node:fs";
import type { Finding } from "../../../shared/finding.ts";
import { sizeText } from "../../../shared/size-text.ts";
import { bundledFile } from "../format/file.ts";
import type { Manifest } from "../format/manifest.ts";
import type { Bundle } from "../format/read.ts";
import { siteErrors } from "../install/errors.ts";
import { keptManifest, versionsOf } from "../install/place.ts";
import type { Plan } from "../install/plan.ts";
import type { Site } from "../install/site.ts";
import { type StoredFile, storedFiles } from "../install/stage.ts";
import { parseRuntime, type Runtime, TOOLKIT } from "../toolkit/layout.ts";
import { toolkitPath } from "../toolkit/toolkit-file.ts";
import { sizeOf } from "../upgrade/cold-copy.ts";

/** Bytes that a run adds to a site's disk at most. */
export interface Room {
  /** Files of the version. */
  readonly files: number;
  /** The cold copy of the state. */
  readonly copy: number;
}

const BLOCK = 4096;
/** Journal, folders, locks. */
const LITTLE = 1_048_576;

/**
 * The layers that the toolkit's runtime is taken from; none of a bundle without a toolkit.
 * @throws TOOLKIT_MALFORMED, and what reading a file of the bundle throws
 */
export async function runtimeIn(bundle: Bundle, signal: AbortSignal): Promise<Runtime["layers"]> {
  const path = toolkitPath(TOOLKIT.runtime);
  if (bundle.manifest.files.every((file) => file.path !== path)) return [];
  return parseRuntime(await bundledFile(bundle, path, signal)).layers;
}

/**
 * What a version takes, where what other versions have is linked: its files, and at most the layers from which the runtime
 * of its toolkit is taken.
 */
export function roomForFiles(
  { files, blobs }: Pick<Manifest, "files" | "blobs">,
  runtime: Runtime["layers"],
  present: readonly StoredFile[],
): number {
  const there = new Set(present.map(({ digest, executable }) => `${digest} ${executable}`));
  const own = storedFiles({ files, blobs }).filter(({ digest, executable }) => !there.has(`${digest} ${executable}`));
  // The same list is the same runtime, which is linked.
  const takes = own.some(({ paths }) => paths.includes(toolkitPath(TOOLKIT.runtime)));
  const layers = new Set(takes ? runtime.map(({ digest }) => digest) : []);
  return [...own, ...blobs.filter(({ digest }) => layers.has(digest))].reduce(
    (sum, { bytes }) => sum + Math.ceil(bytes / BLOCK) * BLOCK,
    LITTLE,
  );
}

/** What a plan needs of a site's disk. */
export function roomFor({ steps, from }: Plan, site: Site, manifest: Manifest, runtime: Runtime["layers"]): Room {
  const present = versionsOf(site).flatMap((version) => {
    try {
      return storedFiles(keptManifest(site, version));
    } catch {
      return [];
    }
  });
  const copies = steps.includes("backup") && from !== undefined && existsSync(site.stateDir);
  return {
    files: steps.includes("stage") ? roomForFiles(manifest, runtime, present) : 0,
    copy: copies ? sizeOf(site.stateDir).bytes : 0,
  };
}

/** @param freeBytes undefined where nobody knows */
export function judgeRoom({ files, copy }: Room, freeBytes: number | undefined, folder: string): readonly Finding[] {
  if (freeBytes === undefined || freeBytes >= files + copy) return [];
  const parts = `${sizeText(files)} for the version and ${sizeText(copy)} for the cold copy of the state`;
  const message = `${sizeText(freeBytes)} are free, and it takes ${parts}`;
  return [{ code: "BUNDLE_NO_ROOM", path: folder, message, fix: siteErrors.entries.BUNDLE_NO_ROOM.fix }];
}
