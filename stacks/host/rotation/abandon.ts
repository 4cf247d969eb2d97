import { rotationErrors } from "./errors.ts";
import { type Journal, readJournal, writeJournal } from "./journal.ts";
import { allFollow, type RotationRun } from "./machine.ts";
import type { Withdrawal } from "./withdrawal.ts";

/**
 * Gives the rotation up that has begun: takes the new out everywhere, and waits for those who say that they still accept it.
 * Once it has begun to go back it only goes back, so that it may die at any point and be done again.
 * @returns the journal of what was given up
 * @throws ROTATION_NOTHING; ROTATION_IN_USE when somebody may have the new in use; ROTATION_UNPROVEN; ROOT_KEY_ELSEWHERE
 */
export async function abandonRotation(withdrawal: Withdrawal, run: Omit<RotationRun, "onPhase">): Promise<Journal> {
  const { journalFile, files } = run;
  const begun = readJournal(journalFile);
  if (begun === undefined) {
    throw rotationErrors.error("ROTATION_NOTHING", "no rotation has begun", { path: "--abandon" });
  }
  if (begun.abandoned !== true && withdrawal.inUse(begun.memo)) {
    throw rotationErrors.error("ROTATION_IN_USE", `the rotation of ${begun.what} is at "${begun.phase}"`, {
      path: "--abandon",
    });
  }
  const successor = withdrawal.successor?.() ?? "";
  const memo = successor === "" ? begun.memo : { ...begun.memo, new: successor };
  const journal: Journal = { ...begun, memo, abandoned: true };
  writeJournal(files, journalFile, journal);
  await withdrawal.act(memo);
  const { pending } = withdrawal;
  if (pending !== undefined) await allFollow(run, "abandon", () => pending(memo));
  files.remove(journalFile);
  return journal;
}
