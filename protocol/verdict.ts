/**
 * Every verdict, at the index that is its code in a receipt. Behind `accepted` they stand in the order in which the
 * checks run, but that a collector decides `replay` and `duplicate` when it stores.
 */
export const VERDICTS = [
  "accepted",
  "malformed",
  "unsupported-version",
  "unknown-sensor",
  "revoked-sensor",
  "bad-signature",
  "replay",
  "duplicate",
  "unknown-key",
  "decrypt-failed",
  "bad-payload",
] as const;

/** What became of an envelope: the same word in logs, metrics, receipts and the quarantine. */
export type Verdict = (typeof VERDICTS)[number];

/** A verdict that is not `accepted`. */
export type Rejection = Exclude<Verdict, "accepted">;

/** The code of a verdict in a receipt, 0..10. */
export function verdictCode(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}

/** The verdict of a receipt's code, or undefined for a code that is none. */
export function verdictOfCode(code: number): Verdict | undefined {
  return VERDICTS[code];
}

/** Whether a value is a verdict. */
export function isVerdict(value: unknown): value is Verdict {
  return (VERDICTS as readonly unknown[]).includes(value);
}
