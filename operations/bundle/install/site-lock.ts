import { mkdirSync } from "node:fs";
import { takeLock } from "../../../stacks/host/lock.ts";
import { assertOwnFolders } from "./own-folders.ts";
import type { Site } from "./site.ts";
import { writingSite } from "./writing.ts";

/**
 * Takes the lock of a site, for whatever changes it: what runs there, or what it trusts.
 * @returns gives the lock back
 * @throws STATE_LOCKED, BUNDLE_SITE_UNWRITABLE, and what {@link assertOwnFolders} throws
 */
export function takeSiteLock(site: Site, pid: number): () => void {
  // Before the lock, which is a file in one of them, and with it, when nobody of ours makes any.
  assertOwnFolders(site);
  writingSite(site.stagingDir, () => mkdirSync(site.stagingDir, { recursive: true, mode: 0o700 }));
  const unlock = takeLock(site.lockFile, pid);
  try {
    assertOwnFolders(site);
    return unlock;
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}
