import { existsSync } from "node:fs";
import type { Finding } from "../../../shared/finding.ts";
import { sizeText } from "../../../shared/size-text.ts";
import type { Manifest } from "../format/manifest.ts";
import { siteErrors } from "../install/errors.ts";
import { keptManifest, versionsOf } from "../install/place.ts";
import type { Plan } from "../install/plan.ts";
import type { Site } from "../install/site.ts";
import { type StoredFile, storedFiles } from "../install/stage.ts";
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

/** What the files of a version take, where those that other versions have are linked. */
export function roomForFiles(manifest: Pick<Manifest, "files" | "blobs">, present: readonly StoredFile[]): number {
  const there = new Set(present.map(({ digest, executable }) => `${digest} ${executable}`));
  return storedFiles(manifest)
    .filter(({ digest, executable }) => !there.has(`${digest} ${executable}`))
    .reduce((sum, { bytes }) => sum + Math.ceil(bytes / BLOCK) * BLOCK, LITTLE);
}

/** What a plan needs of a site's disk. */
export function roomFor({ steps, from }: Plan, site: Site, manifest: Manifest): Room {
  const present = versionsOf(site).flatMap((version) => {
    try {
      return storedFiles(keptManifest(site, version));
    } catch {
      return [];
    }
  });
  const copies = steps.includes("backup") && from !== undefined && existsSync(site.stateDir);
  return {
    files: steps.includes("stage") ? roomForFiles(manifest, present) : 0,
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
