import { bundleTrustErrors } from "../trust/errors.ts";
import { siteErrors } from "./errors.ts";
import { backTarget, type History, type Installed, type OpenRun } from "./history.ts";
import type { Step } from "./journal.ts";

/** What a person asks for. */
export type Wish = "install" | "upgrade";

/** A site, as it is before anything is done. */
export interface SiteFacts {
  readonly history: History;
  /** The version that `current` names. */
  readonly current: number | undefined;
  /** Versions whose folder is whole. */
  readonly placed: ReadonlySet<number>;
  /** Whether what is installed runs well; asked only where the bundle is the one that is installed. */
  readonly healthy: boolean;
}

/** What the Docker Engine lacks of the bundle. */
export interface EngineFacts {
  /** Names of images that it has not, or has under other names than the version's. */
  readonly missing: readonly string[];
}

/** What is going to be done. */
export interface Plan {
  readonly run: number;
  readonly kind: "install" | "upgrade" | "rollback";
  readonly target: Installed;
  readonly from: Installed | undefined;
  /** Empty where everything is as it should be. */
  readonly steps: readonly Step[];
  /** Whether it goes on with a run that was cut. */
  readonly resumes: boolean;
  /** An open run that had changed nothing that runs, and that another bundle takes the place of. */
  readonly abandons: (Installed & { readonly run: number }) | undefined;
}

const INSTALL: readonly Step[] = ["stage", "load", "place", "switch", "deploy", "record", "prune"];
const UPGRADE: readonly Step[] = ["stage", "load", "place", "stop", "backup", "switch", "deploy", "record", "prune"];

/** The steps of every way back. */
export const BACK: readonly Step[] = ["remove", "restore", "switch-back", "load-back", "deploy-back"];

/** Steps after which the version that ran does not run any more. */
const CHANGING: readonly Step[] = ["stop", "backup", "switch", "deploy"];

/** Whether a run that is open may have stopped what ran. */
export function hasChanged({ begun }: Pick<OpenRun, "begun">): boolean {
  return CHANGING.some((step) => begun.has(step));
}

/**
 * What brings a site to a bundle. A pure function of what is there.
 * @throws BUNDLE_INSTALLED, BUNDLE_NOT_INSTALLED, BUNDLE_RUN_OPEN, BUNDLE_ROLLBACK
 */
export function planInstall(wish: Wish, site: SiteFacts, target: Installed, engine: EngineFacts): Plan {
  const { open, installed, runs } = site.history;
  if (open !== undefined) {
    if (open.back !== undefined) return mendBack(open, site, target, engine);
    if (open.manifest === target.manifest && open.version === target.version) return goOn(open, site, engine);
    if (open.kind === "upgrade" && hasChanged(open)) throw runOpen(open, "is not done");
    // There is state of that version by now, and no other version takes state over without a copy.
    if (open.from === undefined && open.begun.has("deploy")) throw runOpen(open, "is not done", GIVE_UP);
  }
  const run = runs + 1;
  const abandons = open;
  const fresh = { run, target, from: installed, resumes: false, abandons } as const;
  if (installed === undefined) {
    if (wish === "upgrade") throw siteErrors.error("BUNDLE_NOT_INSTALLED", "the site has no version yet");
    return { ...fresh, kind: "install", steps: INSTALL };
  }
  if (installed.version === target.version && installed.manifest === target.manifest) {
    return { ...fresh, kind: "install", steps: repair(site, target, engine) };
  }
  if (wish === "install") {
    const what = `the site has version ${installed.version}, the bundle is version ${target.version}`;
    throw siteErrors.error("BUNDLE_INSTALLED", what);
  }
  if (target.version < installed.version) {
    const what = `version ${target.version} is older than ${installed.version}, which this site has`;
    throw bundleTrustErrors.error("BUNDLE_ROLLBACK", what);
  }
  return { ...fresh, kind: "upgrade", steps: UPGRADE };
}

/**
 * What takes a site back: an open upgrade to what ran before it, or the version that is installed to the one before.
 * @throws BUNDLE_NO_WAY_BACK
 */
export function planRollback({ history }: Pick<SiteFacts, "history">): Plan {
  const { open, installed, before, runs } = history;
  if (open !== undefined && open.from !== undefined && open.from.version !== open.version) {
    const target = backTarget(open) ?? open.from;
    const { run, kind, from } = open;
    const steps = waysLeft(open);
    return { run, kind, target, from, steps, resumes: true, abandons: undefined };
  }
  if (before === undefined || installed === undefined) {
    const what =
      installed === undefined
        ? "the site has no version"
        : `version ${installed.version} has replaced none on this site`;
    throw siteErrors.error("BUNDLE_NO_WAY_BACK", what);
  }
  const from = installed;
  return { run: runs + 1, kind: "rollback", target: before, from, steps: BACK, resumes: false, abandons: open };
}

/** What is left of a way back. Where nothing was stopped or changed yet, nothing has to be undone. */
export function waysLeft({ kind, begun, done }: Pick<OpenRun, "kind" | "begun" | "done">): readonly Step[] {
  if (kind === "upgrade" && !hasChanged({ begun })) return [];
  // Without a whole copy the state was not touched: the old version starts on it as it is.
  const untouched = kind === "upgrade" && !done.has("backup");
  return BACK.filter((step) => !done.has(step) && !(step === "restore" && untouched));
}

/**
 * A way back whose files or images are damaged goes on with the bundle of the version that it leads to, and with no other.
 * @throws BUNDLE_RUN_OPEN
 */
function mendBack(open: OpenRun, { placed }: SiteFacts, target: Installed, { missing }: EngineFacts): Plan {
  const { run, kind, from } = open;
  const back = backTarget(open);
  if (back?.version !== target.version || back.manifest !== target.manifest)
    throw runOpen(open, "is not done", WAY_BACK);
  const whole = placed.has(target.version);
  const steps: readonly Step[] = [
    ...(whole ? [] : (["stage"] as const)),
    ...(missing.length > 0 ? (["load"] as const) : []),
    ...(whole ? [] : (["place"] as const)),
    ...waysLeft(open),
  ];
  return { run, kind, target, from, steps, resumes: true, abandons: undefined };
}

function goOn(open: OpenRun, { placed }: SiteFacts, { missing }: EngineFacts): Plan {
  const { run, kind, from, done, version, manifest } = open;
  const all = kind === "upgrade" ? UPGRADE : INSTALL;
  const again: readonly Step[] = [
    ...(missing.length > 0 ? (["load"] as const) : []),
    // What a cut run has staged may be gone by now, or changed: nothing takes its place that was not read for that by this command.
    ...(done.has("place") && placed.has(version) ? [] : (["stage", "place"] as const)),
  ];
  const steps = all.filter((step) => !done.has(step) || again.includes(step));
  return { run, kind, target: { version, manifest }, from, steps, resumes: true, abandons: undefined };
}

/** What is missing of the version that is installed already. */
function repair(
  { current, placed, healthy }: SiteFacts,
  { version }: Installed,
  { missing }: EngineFacts,
): readonly Step[] {
  const whole = placed.has(version);
  const steps: readonly Step[] = [
    ...(whole ? [] : (["stage"] as const)),
    ...(missing.length > 0 ? (["load"] as const) : []),
    ...(whole ? [] : (["place"] as const)),
    ...(current === version ? [] : (["switch"] as const)),
    ...(healthy && whole && missing.length === 0 && current === version ? [] : (["deploy"] as const)),
  ];
  return steps;
}

/** A first install has nothing to go back to. */
const GIVE_UP =
  "finish it with the same bundle; to give it up with what it stored, stop its containers and move state/ and journal.jsonl of the site aside";

/** Another bundle is no help to a way back, also not the one that was begun with. */
const WAY_BACK =
  "finish it with trustkern bundle rollback, which goes on where it stopped; only where it says that files are damaged, install the bundle of that version";

function runOpen({ version, kind }: OpenRun, how: string, fix?: string): Error {
  const what = kind === "rollback" ? `the way back to version ${version}` : `the ${kind} to version ${version}`;
  return siteErrors.error("BUNDLE_RUN_OPEN", `${what} ${how}`, fix === undefined ? {} : { fix });
}
