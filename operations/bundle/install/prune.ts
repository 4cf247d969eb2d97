import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { SiteEngine } from "../engine/engine.ts";
import { keptReference } from "../engine/missing.ts";
import { keptManifest, versionsOf } from "./place.ts";
import { type Site, versionDir } from "./site.ts";
import { writingSite } from "./writing.ts";

/**
 * Takes away what no way back needs any more: versions, cold copies and names of images of all but the versions that are kept,
 * and what runs that were cut left in staging.
 * @throws BUNDLE_SITE_UNWRITABLE, DOCKER_UNREACHABLE
 */
export async function prune(site: Site, engine: SiteEngine, keep: ReadonlySet<number>): Promise<void> {
  for (const version of versionsOf(site).filter((one) => !keep.has(one))) {
    for (const image of imagesOf(site, version)) await engine.untag(keptReference(image, version));
    // Under its own name a version is whole or not there.
    const aside = join(site.stagingDir, `aside-${version}`);
    writingSite(aside, () => {
      rmSync(aside, { recursive: true, force: true });
      renameSync(versionDir(site, version), aside);
    });
  }
  emptyBut(site.backupDir, (name) => keep.has(Number(name)));
  emptyStaging(site);
}

/**
 * Empties staging, but for the lock that is held.
 * @throws BUNDLE_SITE_UNWRITABLE
 */
export function emptyStaging({ stagingDir, lockFile }: Site): void {
  emptyBut(stagingDir, (name) => name.startsWith(basename(lockFile)));
}

function emptyBut(folder: string, stays: (name: string) => boolean): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((one) => !stays(one))) {
    const path = join(folder, name);
    writingSite(path, () => rmSync(path, { recursive: true, force: true }));
  }
}

/** None where what lies there cannot be read any more: then their names stay. */
function imagesOf(site: Site, version: number): ReturnType<typeof keptManifest>["images"] {
  try {
    return keptManifest(site, version).images;
  } catch {
    return [];
  }
}
