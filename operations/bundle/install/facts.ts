import type { SiteEngine } from "../engine/engine.ts";
import { missingImages } from "../engine/missing.ts";
import type { Manifest } from "../format/manifest.ts";
import { currentVersion } from "./current.ts";
import { type History, historyOf, type Installed, runsOf } from "./history.ts";
import { type Journal, openJournal } from "./journal.ts";
import { isPlaced } from "./place.ts";
import type { EngineFacts, SiteFacts } from "./plan.ts";
import { type Site, versionDir } from "./site.ts";
import type { Toolkit } from "./toolkit.ts";

/** Who is asked about a site. */
export interface Asked {
  readonly site: Site;
  readonly engine: SiteEngine;
  readonly toolkit: Toolkit;
  /** Folder of the toolkit that runs, whose files a version links; undefined for a clone. */
  readonly ownToolkit: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * What is there before a bundle is brought to a site.
 * @param meanwhile done while the toolkit of the version that runs is asked how it is; not done where nobody asks it
 * @throws BUNDLE_JOURNAL_CORRUPT, DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function lookAtSite(
  { site, engine, toolkit, signal }: Asked,
  journal: Journal,
  target: Installed,
  { images }: Pick<Manifest, "images">,
  meanwhile: () => Promise<void>,
): Promise<{ readonly site: SiteFacts; readonly engine: EngineFacts }> {
  const history = historyOf(journal.lines());
  const current = currentVersion(site);
  const [isThere, present] = await Promise.all([isPlaced(site, target.version, target.manifest), engine.look()]);
  const placed = new Set(isThere ? [target.version] : []);
  const missing = missingImages(images, target.version, present).map(({ name }) => name);
  const same = isSame(history, target) && placed.has(target.version) && missing.length === 0;
  if (!same || current !== target.version)
    return { site: { history, current, placed, healthy: false }, engine: { missing } };
  const other = meanwhile();
  // It is heard of below, when no process is left that was started here.
  other.catch(() => undefined);
  const healthy = await toolkit.isWell(versionDir(site, current), site.stateDir, signal);
  await other;
  return { site: { history, current, placed, healthy }, engine: { missing } };
}

/**
 * What runs on a site, or is being gone back to.
 * @throws BUNDLE_JOURNAL_CORRUPT, BUNDLE_SITE_UNWRITABLE
 */
export function whatRuns({ journalFile }: Pick<Site, "journalFile">): Installed | undefined {
  return runsOf(historyOf(openJournal(journalFile).lines()));
}

function isSame({ installed, open }: History, { version, manifest }: Installed): boolean {
  return open === undefined && installed?.version === version && installed.manifest === manifest;
}
