import { readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Site } from "./site.ts";
import { syncFolder, writingSite } from "./writing.ts";

/** The version that `current` names; undefined where there is no such link. */
export function currentVersion({ currentLink }: Site): number | undefined {
  try {
    const [, version] = /^versions\/([1-9][0-9]{0,9})$/.exec(readlinkSync(currentLink)) ?? [];
    return version === undefined ? undefined : Number(version);
  } catch {
    return undefined;
  }
}

/**
 * Has `current` name a version. Whoever looks finds the old link or the new one.
 * @throws BUNDLE_SITE_UNWRITABLE
 */
export function switchCurrent({ dir, stagingDir, currentLink }: Site, version: number): void {
  const next = join(stagingDir, "current");
  writingSite(currentLink, () => {
    rmSync(next, { force: true });
    symlinkSync(`versions/${version}`, next);
    renameSync(next, currentLink);
    syncFolder(dir);
  });
}
