import type { ListedGeneration } from "../custody-management.ts";
import { KEY_PHASES, type KeyPhase, readKeyJournal } from "./journal.ts";
import { findListed, type GenerationsPlace } from "./place.ts";
import { findWaiting, KEY_PHASE_SAYS, lookAt } from "./rotate.ts";
import { planSchedule, type ScheduledStep } from "./schedule.ts";

/** What a rotation would do. */
export interface RotationOutline {
  /** The generation that is being rotated to, or that waits to be; null where one would be made. */
  readonly keyId: string | null;
  /** Where its private key was made; null where there is none yet. */
  readonly origin: string | null;
  /** Empty where nothing would be rotated. */
  readonly phases: readonly { readonly phase: KeyPhase; readonly says: string; readonly done: boolean }[];
  /** RFC 3339, by the present moment where the rotation has not published yet; null where nothing would be rotated. */
  readonly overlapEndsAt: string | null;
  /** Sensors that are not revoked, and those that use the generation already; null where nothing would be rotated. */
  readonly sensors: { readonly all: number; readonly following: number } | null;
  readonly schedule: readonly ScheduledStep[];
}

/** What is asked of a rotation that is only looked at. */
export interface OutlineRequest {
  /** Whether only what is due or has begun would be done. */
  readonly due: boolean;
  /** @default that of a rotation which has begun, or else the schedule's */
  readonly overlapSeconds?: number | undefined;
}

/**
 * Looks at what a rotation would do, and changes nothing.
 * @throws KEYS_JOURNAL_CORRUPT, and what asking custody and the collector throws
 */
export async function outlineRotation(place: GenerationsPlace, request: OutlineRequest): Promise<RotationOutline> {
  const generations = await place.custody.list();
  const journal = readKeyJournal(place.journalFile);
  const schedule = planSchedule(generations, place.schedule, place.clock());
  const isDue = journal !== undefined || schedule.some(({ what, due }) => what === "rotate" && due);
  if (request.due && !isDue)
    return { keyId: null, origin: null, phases: [], overlapEndsAt: null, sensors: null, schedule };
  const next = toOf(generations, journal?.keyId);
  const at = journal === undefined ? 0 : KEY_PHASES.indexOf(journal.phase);
  const { overlapEndsAt, following, behind, silent } = await lookAt(place, {
    keyId: next?.keyId ?? "",
    publishedAt: journal?.publishedAt ?? place.clock().toISOString(),
    overlapSeconds: request.overlapSeconds ?? journal?.overlapSeconds,
  });
  return {
    keyId: next?.keyId ?? null,
    origin: next?.origin ?? null,
    phases: KEY_PHASES.map((phase, index) => ({ phase, says: KEY_PHASE_SAYS[phase], done: index < at })),
    overlapEndsAt,
    sensors: { all: following.length + behind.length + silent.length, following: following.length },
    schedule,
  };
}

function toOf(
  generations: readonly ListedGeneration[],
  begun: string | null | undefined,
): ListedGeneration | undefined {
  return begun ? findListed(generations, begun) : findWaiting(generations);
}
