import type { SiteEngine } from "../engine/engine.ts";
import { missingImages } from "../engine/missing.ts";
import type { Manifest } from "../format/manifest.ts";
import { currentVersion } from "./current.ts";
import { type History, historyOf, type Installed } from "./history.ts";
import type { Journal } from "./journal.ts";
import { isPlaced } from "./place.ts";
import type { EngineFacts, SiteFacts } from "./plan.ts";
import { type Site, versionDir } from "./site.ts";
import type { Toolkit } from "./toolkit.ts";

/** Who is asked about a site. */
export interface Asked {
  readonly site: Site;
  readonly engine: SiteEngine;
  readonly toolkit: Toolkit;
  readonly signal: AbortSignal;
}

/**
 * What is there before a bundle is brought to a site.
 * @throws BUNDLE_JOURNAL_CORRUPT, DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function lookAtSite(
  { site, engine, toolkit, signal }: Asked,
  journal: Journal,
  target: Installed,
  { images }: Pick<Manifest, "images">,
): Promise<{ readonly site: SiteFacts; readonly engine: EngineFacts }> {
  const history = historyOf(journal.lines());
  const current = currentVersion(site);
  const placed = new Set((await isPlaced(site, target.version, target.manifest)) ? [target.version] : []);
  const missing = missingImages(images, target.version, await engine.look()).map(({ name }) => name);
  const same = isSame(history, target) && placed.has(target.version) && missing.length === 0;
  const healthy =
    same && current === target.version && (await toolkit.isWell(versionDir(site, current), site.stateDir, signal));
  return { site: { history, current, placed, healthy }, engine: { missing } };
}

function isSame({ installed, open }: History, { version, manifest }: Installed): boolean {
  return open === undefined && installed?.version === version && installed.manifest === manifest;
}
