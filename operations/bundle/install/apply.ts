import { setTimeout } from "node:timers/promises";
import { EXIT, messageOf, TrustKernError } from "../../../shared/errors.ts";
import { doStep } from "./do-step.ts";
import { siteErrors } from "./errors.ts";
import type { Hands } from "./hands.ts";
import { historyOf } from "./history.ts";
import type { Step } from "./journal.ts";
import { hasChanged, type Plan, waysLeft } from "./plan.ts";
import { emptyStaging, removeVersion } from "./prune.ts";
import { leftBehind } from "./site.ts";

/** How long a signal may take from a program's end to this process, in milliseconds. */
const HEARD_MS = 50;

/**
 * Does what a plan says, and writes before and after every step what it is about to do and has done, down to the disk. Cut anywhere,
 * the same command goes on. An upgrade that fails once something has stopped, and before it is
 * well, goes back by itself, also one that was gone on with.
 * @throws BUNDLE_UPGRADE_UNDONE, BUNDLE_WAY_BACK_STOPPED, BUNDLE_SITE_CANCELLED, and what the steps throw
 */
export async function applyPlan(plan: Plan, hands: Hands): Promise<void> {
  const { run, kind, target, from, steps, resumes, abandons } = plan;
  if (steps.length === 0 && !resumes) return emptyStaging(hands.site);
  const { write } = hands.journal;
  const at = timeOf(hands);
  if (abandons !== undefined) {
    if (abandons.version !== from?.version) await removeVersion(hands.site, hands.engine, abandons.version);
    write({ event: "end", run: abandons.run, at: at(), outcome: "old" });
  }
  if (!resumes) {
    const { version, manifest } = target;
    write({ event: "begin", run, at: at(), kind, version, manifest, from: from?.version ?? null });
  }
  if (kind === "rollback" || (kind === "upgrade" && from !== undefined && target.version === from.version)) {
    if (openRun(hands)?.back === undefined) write({ event: "back", run, at: at(), why: "asked for" });
    await goBack(plan, hands);
    return;
  }
  for (const step of steps) {
    try {
      await journalled(step, plan, hands);
    } catch (thrown) {
      const open = openRun(hands);
      const changed = kind === "upgrade" && open !== undefined && hasChanged(open) && !open.done.has("deploy");
      if (!changed || from === undefined || hands.signal.aborted) throw thrown;
      throw await undo({ ...plan, target: from }, hands, thrown);
    }
  }
  write({ event: "end", run, at: at(), outcome: "new" });
  emptyStaging(hands.site);
}

/** Goes back because of an error, and gives the one that tells of both. */
async function undo(plan: Plan, hands: Hands, why: unknown): Promise<Error> {
  const message = messageOf(why);
  hands.onProgress(`going back to version ${plan.target.version}: ${message.split("\n")[0]}`);
  hands.journal.write({ event: "back", run: plan.run, at: timeOf(hands)(), why: message.slice(0, 4000) });
  const left = openRun(hands)?.done.has("backup") === true;
  await goBack(
    { ...plan, steps: waysLeft(openRun(hands) ?? { kind: plan.kind, begun: new Set(), done: new Set() }) },
    hands,
  );
  const where = left ? `; the state that it left is in "${leftBehind(hands.site, plan.run)}"` : "";
  const fix = why instanceof TrustKernError ? why.fix : undefined;
  return siteErrors.error("BUNDLE_UPGRADE_UNDONE", `version ${plan.target.version} runs again${where}: ${message}`, {
    cause: why,
    ...(fix === undefined ? {} : { fix }),
  });
}

async function goBack(plan: Plan, hands: Hands): Promise<void> {
  const open = openRun(hands);
  try {
    for (const step of plan.steps) await journalled(step, plan, hands);
    // It stopped nothing, and nobody goes on with it.
    if (plan.steps.length === 0 && open?.kind === "upgrade")
      await removeVersion(hands.site, hands.engine, open.version);
  } catch (thrown) {
    if (hands.signal.aborted) throw thrown;
    const what = `version ${plan.target.version} does not run yet: ${messageOf(thrown)}`;
    throw siteErrors.error("BUNDLE_WAY_BACK_STOPPED", what, { cause: thrown });
  }
  const outcome = plan.kind === "rollback" ? "new" : "old";
  hands.journal.write({ event: "end", run: plan.run, at: timeOf(hands)(), outcome });
  emptyStaging(hands.site);
}

async function journalled(step: Step, plan: Plan, hands: Hands): Promise<void> {
  const { run } = plan;
  const at = timeOf(hands);
  if (hands.signal.aborted) throw siteErrors.error("BUNDLE_SITE_CANCELLED", `cancelled before the step ${step}`);
  hands.journal.write({ event: "step", run, at: at(), step, state: "begun" });
  await doStep(step, plan, hands).catch((thrown: unknown) => tellCancel(step, hands.signal, thrown));
  hands.journal.write({ event: "step", run, at: at(), step, state: "done" });
}

/**
 * Ctrl-C reaches the programs of a step as well, and they end as if it had failed: that is no diagnosis.
 * @throws BUNDLE_SITE_CANCELLED once it is cancelled, and otherwise what the step threw
 */
async function tellCancel(step: Step, signal: AbortSignal, thrown: unknown): Promise<never> {
  // A program may have ended before this process has heard of it.
  if (!signal.aborted) await setTimeout(HEARD_MS);
  if (!signal.aborted || (thrown instanceof TrustKernError && thrown.exit === EXIT.cancelled)) throw thrown;
  throw siteErrors.error("BUNDLE_SITE_CANCELLED", `cancelled in the step ${step}`, { cause: thrown });
}

function openRun({ journal }: Hands): ReturnType<typeof historyOf>["open"] {
  return historyOf(journal.lines()).open;
}

function timeOf({ clock }: Hands): () => string {
  return () => clock().toISOString();
}
