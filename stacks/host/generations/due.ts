import { TrustKernError } from "../../../shared/errors.ts";
import { destroyGeneration } from "./destroy.ts";
import { readKeyJournal } from "./journal.ts";
import type { GenerationsPlace } from "./place.ts";
import { type KeyRotationOutcome, type KeyRotationRun, rotateGenerations } from "./rotate.ts";
import { planSchedule } from "./schedule.ts";

/** What a timer's run came to. */
export interface DueOutcome {
  /** Of the rotation that was due or under way; null where none was. */
  readonly rotation: KeyRotationOutcome | null;
  /** Key ids that were destroyed. */
  readonly destroyed: readonly string[];
  /** Generations whose day has come, and why they are kept. */
  readonly kept: readonly { readonly keyId: string; readonly why: string }[];
}

/**
 * Does what the schedule says, and nothing else: goes on with a rotation that has begun, begins one when its time has come, and
 * destroys what is due and unused.
 * @throws as rotateGenerations, and what custody and the collector fail with
 */
export async function doWhatIsDue(place: GenerationsPlace, run: KeyRotationRun): Promise<DueOutcome> {
  const due = planSchedule(await place.custody.list(), place.schedule, place.clock()).filter((step) => step.due);
  const rotates = readKeyJournal(place.journalFile) !== undefined || due.some(({ what }) => what === "rotate");
  const rotation = rotates ? await rotateGenerations(place, run) : null;
  const destroyed: string[] = [];
  const kept: { keyId: string; why: string }[] = [];
  for (const { keyId } of due.filter(({ what }) => what === "destroy")) {
    try {
      await destroyGeneration(place, keyId);
      destroyed.push(keyId);
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError) || thrown.code !== "KEYS_IN_USE") throw thrown;
      kept.push({ keyId, why: thrown.message });
    }
  }
  return { rotation, destroyed, kept };
}
