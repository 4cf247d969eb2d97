import { existsSync } from "node:fs";
import { applyPlan } from "./apply.ts";
import type { BundleContent, TrustedBundle } from "./content.ts";
import { siteErrors } from "./errors.ts";
import { type Asked, lookAtSite } from "./facts.ts";
import type { Hands } from "./hands.ts";
import { historyOf } from "./history.ts";
import { type Journal, openJournal, type Step } from "./journal.ts";
import { assertOwnFolders } from "./own-folders.ts";
import { assertWhole } from "./place.ts";
import { hasChanged, type Plan, planInstall, planRollback, type Wish } from "./plan.ts";
import { backupOf, versionDir } from "./site.ts";
import { takeSiteLock } from "./site-lock.ts";

/** What {@link bringBundle} is handed. */
export interface Bringing extends Asked {
  readonly wish: Wish;
  readonly bundle: BundleContent;
  readonly trusted: TrustedBundle;
  /** Of this machine, as `linux-x64`. */
  readonly platform: string;
  /**
   * Throws when this machine cannot take the bundle; called before anything is changed, and not where nothing will be. It may unpack what it
   * needs: every byte was held against the manifest before.
   */
  readonly preflight: (plan: Plan) => Promise<void>;
  readonly clock: () => Date;
  readonly pid: number;
  /** Whether to plan and change nothing. */
  readonly dryRun: boolean;
  readonly onProgress: (what: string) => void;
  readonly onBytes: (done: { readonly bytes: number; readonly of: number }) => void;
}

/** What became of a site. */
export interface SiteReport {
  readonly schema: "trustkern.bundle-site/1";
  readonly kind: Plan["kind"];
  /** Version that runs now; with `planned` the one that would. */
  readonly version: number;
  /** Version that ran before. */
  readonly from: number | null;
  /** Steps that were done, or would be; none where everything was as it should be. */
  readonly steps: readonly Step[];
  readonly resumed: boolean;
  /** Whether nothing was changed, because only a plan was asked for. */
  readonly planned: boolean;
}

/**
 * Brings a bundle to a site whose trust in it is settled: install, or upgrade. Cut anywhere, the same call goes on.
 * @throws STATE_LOCKED, BUNDLE_SITE_FOREIGN, BUNDLE_INSTALLED, BUNDLE_NOT_INSTALLED, BUNDLE_RUN_OPEN, BUNDLE_OTHER_MACHINE, BUNDLE_DELTA_ALONE, BUNDLE_PREFLIGHT,
 * BUNDLE_VERSION_DAMAGED, BUNDLE_SITE_UNWRITABLE, what verifying the bundle throws, and what {@link applyPlan} throws
 */
export async function bringBundle(request: Bringing): Promise<SiteReport> {
  const { wish, bundle, trusted, site } = request;
  assertFits(request);
  using lock = lockSite(request);
  trusted.assertStill();
  const target = { version: trusted.version, manifest: trusted.manifest };
  let reading: Promise<void> | undefined;
  const verified = (): Promise<void> => {
    reading ??= verifyBytes(request);
    return reading;
  };
  const facts = await lookAtSite(request, lock.journal, target, bundle.manifest, async () => {
    if (!request.dryRun) await verified();
  });
  const plan = planInstall(wish, facts.site, target, facts.engine);
  if (request.dryRun) return reportOf(plan, true);
  // Also where nothing is taken from it: whoever brings a damaged medium hears of it. Preflight unpacks some of it.
  await verified();
  if (plan.steps.length > 0) await request.preflight(plan);
  const { open } = facts.site.history;
  const stops = plan.steps.includes("stop") && !(plan.resumes && open !== undefined && hasChanged(open));
  // What could not be gone back to is not stopped.
  if (stops && plan.from !== undefined) await assertWhole(site, request.engine, plan.from);
  await applyPlan(plan, { ...request, journal: lock.journal, brought: { bundle, trusted } });
  return reportOf(plan, false);
}

/** What {@link takeBack} is handed. */
export type TakingBack = Asked & Pick<Hands, "clock" | "onProgress"> & Pick<Bringing, "pid" | "dryRun">;

/**
 * Takes a site back to the version before, with the state that it had: an open upgrade, or the version that is installed.
 * @throws STATE_LOCKED, BUNDLE_SITE_FOREIGN, BUNDLE_NO_WAY_BACK, BUNDLE_VERSION_DAMAGED, BUNDLE_WAY_BACK_STOPPED
 */
export async function takeBack(request: TakingBack): Promise<SiteReport> {
  using lock = lockSite(request);
  const plan = planRollback({ history: historyOf(lock.journal.lines()) });
  await assertWayBack(request, plan);
  if (!request.dryRun) await applyPlan(plan, { ...request, journal: lock.journal, brought: undefined });
  return reportOf(plan, request.dryRun);
}

/** A bundle that is older than what runs is not taken. */
const STAYS =
  "nothing was stopped, and the version that runs goes on: leave it with the bundle of a newer one, by trustkern bundle upgrade FILE";

/** Before anything is stopped. What was begun is gone on with, whatever is there. */
async function assertWayBack({ site, engine }: Asked, { resumes, target }: Plan): Promise<void> {
  if (resumes) return;
  const { version } = target;
  const gone = [backupOf(site, version), versionDir(site, version)].filter((path) => !existsSync(path));
  if (gone.length > 0)
    throw siteErrors.error("BUNDLE_NO_WAY_BACK", `version ${version} has lost "${gone.join('" and "')}"`);
  await assertWhole(site, engine, target, STAYS);
}

type LockedBy = Pick<Bringing, "site" | "pid" | "dryRun">;

/** Every byte is held against the manifest before one is unpacked, although each blob is held against it once more when it is. */
async function verifyBytes({ bundle, signal, onProgress, onBytes }: Bringing): Promise<void> {
  onProgress("reading every byte of the bundle");
  await bundle.verifyBytes({ signal, onProgress: onBytes });
}

/** A dry run reads alone: it makes no folder, and keeps nobody away. */
function lockSite({ site, pid, dryRun }: LockedBy): Disposable & { readonly journal: Journal } {
  if (dryRun) {
    assertOwnFolders(site);
    return { journal: openJournal(site.journalFile), [Symbol.dispose]: () => undefined };
  }
  const unlock = takeSiteLock(site, pid);
  try {
    return { journal: openJournal(site.journalFile), [Symbol.dispose]: unlock };
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}

function assertFits({ bundle: { manifest, path }, platform }: Bringing): void {
  if (manifest.base !== undefined)
    throw siteErrors.error("BUNDLE_DELTA_ALONE", `"${path}" has what changed since ${manifest.base}`, { path });
  if (manifest.toolkit.platform === platform) return;
  const what = `"${path}" is for ${manifest.toolkit.platform}, and this machine is ${platform}`;
  throw siteErrors.error("BUNDLE_OTHER_MACHINE", what, { path });
}

function reportOf({ kind, target, from, steps, resumes }: Plan, planned: boolean): SiteReport {
  const [version, before] = [target.version, from?.version ?? null];
  return { schema: "trustkern.bundle-site/1", kind, version, from: before, steps, resumed: resumes, planned };
}
