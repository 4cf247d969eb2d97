import type { RotationSchedule } from "../../../model/custody.ts";
import type { Deployment } from "../../../model/deployment.ts";
import type { ListedGeneration } from "../custody-management.ts";
import { generationErrors } from "./errors.ts";
import { followersOf, type SensorKeyUse } from "./key-use.ts";
import { fixtureKeys } from "./place.ts";

/** One thing that the schedule says of a generation. */
export interface ScheduledStep {
  readonly what: "rotate" | "destroy";
  readonly keyId: string;
  /** From then on. RFC 3339. */
  readonly at: string;
  readonly due: boolean;
}

/**
 * When a generation may be destroyed, RFC 3339; null for one whose day has not been set, since it is not retired yet, for one
 * that is gone, and for a fixture, which custody would miss at its next start. One that is closed to everything opens nothing,
 * so nothing is waited for.
 */
export function destroyableAt(
  { state, origin, retiredAt, createdAt, compromised }: ListedGeneration,
  { destroyAfterSeconds }: RotationSchedule,
): string | null {
  if (state !== "retired" || origin === "fixture") return null;
  if (compromised?.stored === "block") return compromised.at;
  return later(retiredAt ?? createdAt, destroyAfterSeconds);
}

/**
 * What is due, and what comes next: the active generation is followed by another one, in time for its overlap, and retired
 * ones are destroyed.
 */
export function planSchedule(
  generations: readonly ListedGeneration[],
  schedule: RotationSchedule,
  now: Date,
): readonly ScheduledStep[] {
  const { rotateEverySeconds, overlapSeconds } = schedule;
  const stepOf = (what: ScheduledStep["what"], keyId: string, at: string): ScheduledStep => ({
    what,
    keyId,
    at,
    due: Date.parse(at) <= now.getTime(),
  });
  const steps = generations.flatMap((generation): readonly ScheduledStep[] => {
    const { keyId, state, activatedAt, createdAt } = generation;
    const lifeSeconds = Math.max(0, rotateEverySeconds - overlapSeconds);
    if (state === "active") return [stepOf("rotate", keyId, later(activatedAt ?? createdAt, lifeSeconds))];
    const destroyAt = destroyableAt(generation, schedule);
    return destroyAt === null ? [] : [stepOf("destroy", keyId, destroyAt)];
  });
  return steps.toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

/**
 * The overlap that somebody asks for, in seconds: the schedule's, or a shorter one in profile `dev` alone; undefined where nobody does.
 * @throws KEYS_OVERLAP_SHORT, KEYS_OVERLAP_LONG
 */
export function overlapOf(
  { profile, custody }: Pick<Deployment, "profile" | "custody">,
  asked: number | undefined,
): number | undefined {
  const { overlapSeconds } = custody.schedule;
  if (asked === undefined || asked === overlapSeconds) return asked;
  const isLong = asked > overlapSeconds;
  if (!isLong && profile === "dev") return asked;
  const message = `--overlap is ${asked} s, and custody.schedule.overlap ${overlapSeconds} s`;
  throw generationErrors.error(isLong ? "KEYS_OVERLAP_LONG" : "KEYS_OVERLAP_SHORT", message, { path: "--overlap" });
}

/** Sensors whose newest message is encrypted to a generation: it is not destroyed while there are any. */
export function usersOf(
  use: readonly SensorKeyUse[],
  keyId: string,
  generations: readonly ListedGeneration[],
): readonly SensorKeyUse[] {
  const ignored = new Set([...fixtureKeys(generations)].filter((each) => each !== keyId));
  return followersOf(use, keyId, { heardSince: new Date(0), ignored }).following;
}

function later(at: string, seconds: number): string {
  return new Date(Date.parse(at) + seconds * 1000).toISOString();
}
