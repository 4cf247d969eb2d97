import { lstatSync, type Stats } from "node:fs";
import { siteErrors } from "./errors.ts";
import type { Site } from "./site.ts";

const WRITABLE_BY_ALL = 0o002;

/**
 * Holds that nobody else can have a site's folders lead elsewhere, where they would be written, emptied and given rights: each is no
 * link, is this user's or root's, and is not open to be written by everybody. Folders that are not there yet pass. Who may write by the
 * group of a folder is trusted with it.
 * @param uid who works on the site
 * @throws BUNDLE_SITE_FOREIGN
 */
export function assertOwnFolders(site: Site, uid: number = process.geteuid?.() ?? 0): void {
  const { dir, trustDir, stagingDir, versionsDir, stateDir, backupDir } = site;
  for (const path of [dir, trustDir, stagingDir, versionsDir, stateDir, backupDir]) {
    // Nothing lies in what is no folder, which whoever writes there hears of.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const wrong = stats && wrongWith(stats, uid);
    if (wrong !== undefined) throw siteErrors.error("BUNDLE_SITE_FOREIGN", `"${path}" ${wrong}`, { path });
  }
}

function wrongWith(stats: Stats, uid: number): string | undefined {
  if (stats.isSymbolicLink()) return "is a symbolic link; accepted: a folder";
  if (stats.uid !== uid && stats.uid !== 0)
    return `is of uid ${stats.uid}; accepted: ${[...new Set([uid, 0])].join(", ")}`;
  return (stats.mode & WRITABLE_BY_ALL) === 0 ? undefined : "may be written by everybody; accepted: not by others";
}
