import { backUp, dropPartial, restoreBackup } from "../upgrade/backup.ts";
import { switchCurrent } from "./current.ts";
import { siteErrors } from "./errors.ts";
import type { Hands } from "./hands.ts";
import type { Step } from "./journal.ts";
import { loadMissing, nameImages } from "./load.ts";
import { assertPlaced, keptManifest, placeVersion, versionsOf } from "./place.ts";
import type { Plan } from "./plan.ts";
import { prune } from "./prune.ts";
import { quietState } from "./quiet-state.ts";
import { stagedDir, versionDir } from "./site.ts";
import { stageFiles } from "./stage.ts";
import { stageRuntime } from "./stage-runtime.ts";

/** Does one step. Every step may be done again, whole or cut. */
export function doStep(step: Step, plan: Plan, hands: Hands): Promise<void> {
  return STEP[step](plan, hands);
}

const STEP: Readonly<Record<Step, (plan: Plan, hands: Hands) => Promise<void>>> = {
  stage: async ({ target: { version } }, hands) => {
    const { site, ownToolkit, signal, onProgress } = hands;
    const { bundle } = broughtTo(hands);
    onProgress(`staging version ${version}`);
    const others = versionsOf(site)
      .toReversed()
      .map((one) => versionDir(site, one));
    const staging = { bundle, to: stagedDir(site, version), others, ownToolkit, signal };
    await stageFiles(staging);
    await stageRuntime(staging);
  },
  load: async ({ target: { version }, steps }, hands) => {
    const { engine, signal, onProgress } = hands;
    const own = !steps.includes("switch");
    await loadMissing({ bundle: broughtTo(hands).bundle, version, own, engine, signal, onProgress });
  },
  place: async ({ target: { version, manifest } }, { site }) => placeVersion(site, version, manifest),
  stop: async ({ from }, hands) => {
    const { site, engine, onProgress } = hands;
    await quietState(hands);
    onProgress(`stopping version ${from?.version ?? "that ran"}`);
    await engine.stop(site.stateDir);
  },
  backup: async ({ from }, hands) => {
    const { site, engine, signal, onProgress } = hands;
    if (from === undefined) return;
    await quietState(hands);
    // Since it was stopped, a run may have been cut, and the machine or a person may have started it again.
    await engine.stop(site.stateDir);
    onProgress("copying volumes, keys and state");
    await backUp(site, from.version, signal);
  },
  switch: async ({ target: { version } }, { site, engine }) => {
    await nameImages(engine, keptManifest(site, version).images, version, true);
    switchCurrent(site, version);
  },
  deploy: deploy,
  record: async (_, hands) => broughtTo(hands).trusted.record(),
  prune: async ({ target, from }, { site, engine }) =>
    prune(site, engine, new Set([target.version, ...(from === undefined ? [] : [from.version])])),
  remove: async (_, hands) => {
    const { site, engine, onProgress } = hands;
    await quietState(hands);
    onProgress("removing the containers of the version that is left");
    await engine.remove(site.stateDir);
    // Of a copy that was cut: it has keys, and room that the old version may need.
    dropPartial(site);
  },
  restore: async ({ target, run }, hands) => {
    const { site, onProgress } = hands;
    await quietState(hands);
    onProgress(`putting back the state of version ${target.version}`);
    restoreBackup(site, target.version, run);
  },
  "switch-back": async ({ target }, { site }) => switchCurrent(site, target.version),
  "load-back": async ({ target: { version } }, { site, engine }) =>
    nameImages(engine, keptManifest(site, version).images, version, true),
  "deploy-back": async (plan, hands) => {
    // It was put in place long ago: what runs is what its bundle brought, as on the way forward.
    await assertPlaced(hands.site, plan.target);
    await deploy(plan, hands);
  },
};

async function deploy({ target: { version } }: Plan, hands: Hands): Promise<void> {
  const { site, toolkit, signal, onProgress } = hands;
  await quietState(hands);
  onProgress(`deploying version ${version} with its own toolkit`);
  const folder = versionDir(site, version);
  await toolkit.deploy(folder, site.stateDir, signal);
  if (await toolkit.isWell(folder, site.stateDir, signal)) return;
  throw siteErrors.error("BUNDLE_DEPLOY_FAILED", `version ${version} was deployed, and its status is not well`);
}

function broughtTo({ brought }: Hands): NonNullable<Hands["brought"]> {
  if (brought !== undefined) return brought;
  throw new Error("a step that needs a bundle was planned without one");
}
