import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { SiteEngine } from "../engine/engine.ts";
import { keptReference } from "../engine/missing.ts";
import { type Manifest, parseManifest } from "../format/manifest.ts";
import { versionsOf } from "./place.ts";
import { MANIFEST_NAME, type Site, stagedDir, versionDir } from "./site.ts";
import { writingSite } from "./writing.ts";

/**
 * Takes away what no way back needs any more: versions, cold copies and names of images of all but the versions that are kept,
 * and what runs that were cut left in staging.
 * @throws BUNDLE_SITE_UNWRITABLE, DOCKER_UNREACHABLE
 */
export async function prune(site: Site, engine: SiteEngine, keep: ReadonlySet<number>): Promise<void> {
  for (const version of versionsOf(site).filter((one) => !keep.has(one))) await removeVersion(site, engine, version);
  emptyBut(site.backupDir, (name) => keep.has(Number(name)));
  emptyStaging(site);
}

/**
 * Takes a version away, placed or staged: the names under which it keeps its images, with those that nobody else has, and its files.
 * @throws BUNDLE_SITE_UNWRITABLE, DOCKER_UNREACHABLE
 */
export async function removeVersion(site: Site, engine: SiteEngine, version: number): Promise<void> {
  const [placed, staged] = [versionDir(site, version), stagedDir(site, version)];
  const kept = new Set([placed, staged].flatMap(imagesIn).map((image) => keptReference(image, version)));
  for (const name of kept) await engine.untag(name);
  const aside = join(site.stagingDir, `aside-${version}`);
  writingSite(aside, () => {
    rmSync(aside, { recursive: true, force: true });
    // Under its own name a version is whole or not there.
    if (existsSync(placed)) renameSync(placed, aside);
    for (const folder of [staged, aside]) rmSync(folder, { recursive: true, force: true });
  });
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
function imagesIn(folder: string): Manifest["images"] {
  try {
    return parseManifest(readFileSync(join(folder, MANIFEST_NAME))).images;
  } catch {
    return [];
  }
}
