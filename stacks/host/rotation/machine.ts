import { setTimeout as sleep } from "node:timers/promises";
import type { TrustKernError } from "../../../shared/errors.ts";
import { hostErrors } from "../errors.ts";
import type { StoreFiles } from "../store-files.ts";
import { rotationErrors } from "./errors.ts";
import { type Journal, PHASES, type Phase, readJournal, writeJournal } from "./journal.ts";

/** What phases tell each other: fingerprints and numbers, and no secret. */
export type Memo = Readonly<Record<string, string>>;

/** One phase of a rotation. */
export interface RotationPhase {
  /** What it does, for a person who asks before it is done. */
  readonly says: string;
  /** Does it. Done again after a death at any point of it, it comes to the same. @default nothing is done */
  readonly act?: (memo: Memo) => Promise<Memo>;
  /** Who has not followed yet. @default nobody is waited for */
  readonly pending?: (memo: Memo) => Promise<readonly string[]>;
}

/** A rotation, as five phases. */
export interface Rotation {
  /** As `--what` has it. */
  readonly what: string;
  /** What the phases need to know of the state before the first of them. */
  readonly begin: () => Promise<Memo>;
  readonly phases: Readonly<Record<Phase, RotationPhase>>;
}

/** What running a rotation is handed. */
export interface RotationRun {
  readonly journalFile: string;
  readonly files: StoreFiles;
  /** Has components take what their files say now. */
  readonly apply: (components: readonly string[]) => Promise<void>;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
  /** Longest wait for those who have not followed, in seconds. @default 120 */
  readonly limitSeconds?: number | undefined;
  /** Milliseconds between two looks. @default 500 */
  readonly pollMs?: number | undefined;
  readonly onPhase: (phase: Phase, says: string) => void;
  /** Told every 10 s of a wait who has not followed. @default nobody is told */
  readonly onWaiting?: ((names: readonly string[], waitedSeconds: number) => void) | undefined;
}

/** How often a wait tells whom it is for, in milliseconds. */
const TELL_MS = 10_000;

/**
 * Begins a rotation, or goes on with the one that has begun, until it is done. Old and new are both accepted from the first
 * phase to the last, and a phase is over only when everybody has followed, so that whatever dies in between, nobody is cut off.
 * @returns what its phases told each other
 * @throws ROTATION_UNFINISHED when another rotation is not done
 * @throws ROTATION_UNPROVEN naming who did not follow; DEPLOY_CANCELLED; and what a phase fails with: the journal stays
 */
export async function runRotation(rotation: Rotation, run: RotationRun): Promise<Memo> {
  const { journalFile, files } = run;
  const begun = readJournal(journalFile);
  if (begun !== undefined && begun.what !== rotation.what) throw unfinished(begun, journalFile);
  if (begun?.abandoned === true) {
    throw rotationErrors.error("ROTATION_UNFINISHED", `the rotation of ${begun.what} is being given up`, {
      path: journalFile,
      fix: "give it up to the end with `trustkern certs rotate --abandon`",
    });
  }
  let journal: Journal = begun ?? {
    schema: "trustkern.rotation/1",
    what: rotation.what,
    startedAt: run.clock().toISOString(),
    phase: PHASES[0],
    memo: await rotation.begin(),
  };
  if (begun === undefined) writeJournal(files, journalFile, journal);
  for (const phase of PHASES.slice(PHASES.indexOf(journal.phase))) {
    if (phase !== journal.phase) {
      journal = { ...journal, phase };
      writeJournal(files, journalFile, journal);
    }
    const { says, act, pending } = rotation.phases[phase];
    run.onPhase(phase, says);
    if (act !== undefined) {
      journal = { ...journal, memo: { ...journal.memo, ...(await act(journal.memo)) } };
      writeJournal(files, journalFile, journal);
    }
    if (pending !== undefined) await allFollow(run, phase, () => pending(journal.memo));
  }
  files.remove(journalFile);
  return journal.memo;
}

/** What is thrown at whoever comes between. */
export function unfinished({ what, phase, startedAt }: Journal, journalFile: string): TrustKernError {
  return rotationErrors.error("ROTATION_UNFINISHED", `the rotation of ${what} is at "${phase}", since ${startedAt}`, {
    path: journalFile,
  });
}

/**
 * Has those take their files who have not followed, and waits for them.
 * @param phase what is waited in, for the error
 * @throws ROTATION_UNPROVEN, DEPLOY_CANCELLED
 */
export async function allFollow(
  run: Pick<RotationRun, "signal" | "limitSeconds" | "pollMs" | "clock" | "apply" | "onWaiting">,
  phase: string,
  look: () => Promise<readonly string[]>,
): Promise<void> {
  const { signal, limitSeconds = 120, pollMs = 500, clock } = run;
  const started = clock().getTime();
  let waiting = await look();
  if (waiting.length > 0) await run.apply(waiting);
  for (let told = 0; waiting.length > 0; ) {
    if (signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", `interrupted in "${phase}"`);
    const waited = clock().getTime() - started;
    if (waited - told >= TELL_MS) {
      told = waited;
      run.onWaiting?.([...new Set(waiting)], Math.round(waited / 1000));
    }
    if (waited > limitSeconds * 1000) {
      const who = [...new Set(waiting)].join(", ");
      throw rotationErrors.error("ROTATION_UNPROVEN", `"${phase}" waited ${limitSeconds} s for ${who}`, {
        path: phase,
      });
    }
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    waiting = await look();
  }
}
