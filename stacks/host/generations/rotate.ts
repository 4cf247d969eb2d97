import { setTimeout as sleep } from "node:timers/promises";
import type { ListedGeneration } from "../custody-management.ts";
import { hostErrors } from "../errors.ts";
import { generationErrors } from "./errors.ts";
import { type KeyJournal, type KeyPhase, readKeyJournal, writeKeyJournal } from "./journal.ts";
import { type Followers, followersOf } from "./key-use.ts";
import { findListed, fixtureKeys, type GenerationsPlace } from "./place.ts";

/** How a rotation of generations is run. */
export interface KeyRotationRun {
  /**
   * How long sensors have the new key before the old one is retired, at the least, in seconds. It is kept for the runs that go on.
   * @default what an earlier run of this rotation was asked for, or else the schedule's
   */
  readonly overlapSeconds?: number | undefined;
  /** Longest wait for overlap and proof, in seconds; 0 looks once. */
  readonly waitSeconds: number;
  /** Milliseconds between two looks. @default 2000 */
  readonly pollMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Lets so many milliseconds go by between two looks, in which others may change generations. @default nobody may */
  readonly rest?: ((ms: number) => Promise<void>) | undefined;
  readonly onPhase: (phase: KeyPhase, says: string) => void;
  /** Told now and then of a wait. */
  readonly onWaiting: (proof: KeyProof) => void;
  /** Told that it is done before the journal goes: whoever dies in between is told again by the next run. @default nobody is */
  readonly onDone?: ((outcome: KeyRotationOutcome) => void) | undefined;
}

/** What is known of a generation that is to become active. */
export interface KeyProof extends Followers {
  readonly keyId: string;
  /** The overlap is over from then on. RFC 3339. */
  readonly overlapEndsAt: string;
  readonly overlapIsOver: boolean;
}

/** What a run came to. */
export interface KeyRotationOutcome extends KeyProof {
  /** Whether it is active. If not, the journal stays, and the next run goes on. */
  readonly done: boolean;
}

/** What each phase does, for a person. */
export const KEY_PHASE_SAYS: Readonly<Record<KeyPhase, string>> = {
  "make-next": "custody makes the next generation, or takes the one that is there",
  publish: "the backend signs an update with its public key for every sensor",
  "prove-use": "every sensor that is heard uses it, and the overlap is over",
  activate: "it becomes active; the one before is retired, and still opens what was encrypted to it",
};

/** How often a wait tells whom it is for, in milliseconds. */
const TELL_MS = 10_000;

/**
 * Rotates to the next generation, or goes on where an earlier run stopped. From the first phase to the last, old and new are
 * both opened, so that whatever dies in between, no message is lost.
 * @throws KEYS_JOURNAL_CORRUPT, KEYS_ROTATION_ENDED, DEPLOY_CANCELLED, and what a phase fails with: the journal stays
 */
export async function rotateGenerations(place: GenerationsPlace, run: KeyRotationRun): Promise<KeyRotationOutcome> {
  let journal = await begin(place, run);
  const keep = (changes: Partial<KeyJournal>): void => {
    journal = writeKeyJournal(place.files, place.journalFile, { ...journal, ...changes });
  };
  if (run.overlapSeconds !== undefined && run.overlapSeconds !== journal.overlapSeconds)
    keep({ overlapSeconds: run.overlapSeconds });
  const says = (phase: KeyPhase): void => run.onPhase(phase, KEY_PHASE_SAYS[phase]);
  if (journal.phase === "make-next") {
    says("make-next");
    keep({ keyId: await nextGeneration(place), phase: "publish" });
  }
  if (journal.phase === "publish" || journal.phase === "prove-use") {
    says("publish");
    // Again where an earlier run did so: sensors may have been given another one since.
    await place.publish(journal.keyId ?? undefined);
    if (journal.publishedAt === null) keep({ publishedAt: place.clock().toISOString(), phase: "prove-use" });
  }
  if (journal.phase === "prove-use") {
    says("prove-use");
    const proof = await wait(place, journal, run);
    if (!isProven(proof)) return { ...proof, done: false };
    keep({ phase: "activate" });
  }
  says("activate");
  const { keyId } = named(journal);
  if (findListed(await place.custody.list(), keyId)?.state === "next") await place.custody.activate(keyId);
  await place.publish();
  const outcome = { ...(await lookAt(place, journal)), done: true };
  run.onDone?.(outcome);
  place.files.remove(place.journalFile);
  return outcome;
}

/** The journal of what has begun, or a new one; one whose generation was destroyed or given up meanwhile is begun anew. */
async function begin(place: GenerationsPlace, { overlapSeconds }: KeyRotationRun): Promise<KeyJournal> {
  const begun = readKeyJournal(place.journalFile);
  if (begun !== undefined && (begun.keyId === null || (await isUsable(place, begun.keyId)))) return begun;
  return writeKeyJournal(place.files, place.journalFile, {
    schema: "trustkern.key-rotation/1",
    startedAt: place.clock().toISOString(),
    phase: "make-next",
    keyId: null,
    publishedAt: null,
    ...(overlapSeconds !== undefined && { overlapSeconds }),
  });
}

async function isUsable({ custody }: GenerationsPlace, keyId: string): Promise<boolean> {
  const { state, compromised } = findListed(await custody.list(), keyId) ?? {};
  return compromised === undefined && (state === "next" || state === "active");
}

async function nextGeneration({ custody }: GenerationsPlace): Promise<string> {
  return (findWaiting(await custody.list()) ?? (await custody.generate())).keyId;
}

/** The newest one that is next, such as of a ceremony, or of a run that died before it wrote its name down. */
export function findWaiting(generations: readonly ListedGeneration[]): ListedGeneration | undefined {
  return generations.findLast(({ state, compromised }) => state === "next" && !compromised);
}

/**
 * What is known now of the generation that a journal is about.
 * @throws what asking custody and the collector throws
 */
export async function lookAt(
  place: GenerationsPlace,
  journal: Pick<KeyJournal, "keyId" | "publishedAt" | "overlapSeconds">,
): Promise<KeyProof> {
  const { keyId, publishedAt } = named(journal);
  const overlapMs = (journal.overlapSeconds ?? place.schedule.overlapSeconds) * 1000;
  const now = place.clock().getTime();
  const endsAt = Date.parse(publishedAt) + overlapMs;
  const ignored = fixtureKeys(await place.custody.list());
  const heardSince = new Date(now - overlapMs);
  return {
    keyId,
    overlapEndsAt: new Date(endsAt).toISOString(),
    overlapIsOver: now >= endsAt,
    ...followersOf(await place.keyUse(), keyId, { heardSince, ignored }),
  };
}

function named({ keyId, publishedAt }: Pick<KeyJournal, "keyId" | "publishedAt">): {
  readonly keyId: string;
  readonly publishedAt: string;
} {
  if (keyId === null || publishedAt === null) throw new TypeError("a phase without the one before it");
  return { keyId, publishedAt };
}

function isProven({ overlapIsOver, behind }: KeyProof): boolean {
  return overlapIsOver && behind.length === 0;
}

async function wait(place: GenerationsPlace, journal: KeyJournal, run: KeyRotationRun): Promise<KeyProof> {
  const { signal, waitSeconds, pollMs = 2_000 } = run;
  const { rest = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined) } = run;
  const started = place.clock().getTime();
  for (let told = 0; ; ) {
    const proof = await lookAt(place, journal);
    const waitedMs = place.clock().getTime() - started;
    if (isProven(proof) || waitedMs >= waitSeconds * 1000) return proof;
    if (signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", 'interrupted in "prove-use"');
    if (told === 0 || waitedMs - told >= TELL_MS) {
      told = Math.max(1, waitedMs);
      run.onWaiting(proof);
    }
    await rest(pollMs);
    if (readKeyJournal(place.journalFile)?.keyId !== journal.keyId) throw ended(proof.keyId);
  }
}

/** Somebody else has the journal by now: such as a compromise, which waits for no rotation. */
function ended(keyId: string): Error {
  const message = `the rotation to generation "${keyId}" was ended while it waited for sensors`;
  return generationErrors.error("KEYS_ROTATION_ENDED", message, { path: keyId });
}
