import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { siteErrors } from "../install/errors.ts";
import { backupOf, leftBehind, type Site } from "../install/site.ts";
import { asUnwritable, syncFolder, writingSite } from "../install/writing.ts";
import { type Copied, copyCold } from "./cold-copy.ts";
import { carryForward } from "./forward.ts";

/**
 * Copies the state of a deployment that has stopped: volumes, keys, secrets and the state of OpenTofu. A copy that is there is
 * whole, since it takes its name at the end.
 * @param version which the state is of
 * @throws BUNDLE_SITE_UNWRITABLE, BUNDLE_SITE_CANCELLED
 */
export async function backUp(site: Site, version: number, signal: AbortSignal): Promise<Copied | undefined> {
  const [target, partial] = [backupOf(site, version), join(site.stagingDir, `${PARTIAL}${version}`)];
  try {
    mkdirSync(site.backupDir, { recursive: true, mode: 0o700 });
    dropPartial(site);
    const copied = await copyCold(site.stateDir, partial, signal);
    // Of an upgrade that was undone, or gone back from, before: the state has changed since.
    if (existsSync(target)) rmSync(target, { recursive: true });
    renameSync(partial, target);
    syncFolder(site.backupDir);
    return copied;
  } catch (thrown) {
    dropPartial(site);
    if (signal.aborted) throw siteErrors.error("BUNDLE_SITE_CANCELLED", "cancelled while the state was copied");
    throw asUnwritable(target, thrown);
  }
}

/** What a copy is called that is not whole. `keys destroy` knows the name too. */
const PARTIAL = "backup-";

/**
 * Takes away what is left of a copy that failed or was cut: it has keys, and takes the room of what runs.
 * @throws BUNDLE_SITE_UNWRITABLE
 */
export function dropPartial({ stagingDir }: Site): void {
  for (const name of readdirSync(stagingDir).filter((one) => one.startsWith(PARTIAL))) {
    const path = join(stagingDir, name);
    writingSite(path, () => rmSync(path, { recursive: true, force: true }));
  }
}

/**
 * Puts the cold copy in the place of the state, by renames, so that it needs no space; who may do what stays as it is now, by
 * {@link carryForward}, and the rest of the state that is left behind is kept. Does what is left of it when it was cut.
 * @param run under whose number the state is kept that is left behind
 * @throws BUNDLE_NO_WAY_BACK, BUNDLE_FORWARD_REFUSED, BUNDLE_SITE_UNWRITABLE
 */
export function restoreBackup(site: Site, version: number, run: number): void {
  const [copy, left] = [backupOf(site, version), leftBehind(site, run)];
  // One is kept: that of the last way back.
  for (const name of existsSync(site.backupDir) ? readdirSync(site.backupDir) : []) {
    const other = join(site.backupDir, name);
    if (name.startsWith("left-") && other !== left) writingSite(other, () => rmSync(other, { recursive: true }));
  }
  if (!existsSync(copy)) {
    if (existsSync(left) && existsSync(site.stateDir)) return;
    throw siteErrors.error("BUNDLE_NO_WAY_BACK", `there is no cold copy of version ${version} in "${copy}"`);
  }
  writingSite(site.stateDir, () => {
    if (existsSync(site.stateDir)) {
      carryForward(site.stateDir, copy);
      renameSync(site.stateDir, left);
    }
    syncFolder(site.backupDir);
    renameSync(copy, site.stateDir);
    syncFolder(site.dir);
    syncFolder(site.backupDir);
  });
}
