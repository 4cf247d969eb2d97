/** Sequence numbers that a gateway's window spans, the greatest included (RFC 4303, section 3.4.3). */
export const REPLAY_WINDOW = 64;

/** A gateway's anti-replay state for one sensor. Plain JSON. */
export interface ReplayState {
  readonly bootId: number;
  /** The greatest `seq` accepted in this boot: the right edge of the window. */
  readonly highest: number;
  /** Digest of the envelope accepted for each `seq` of the window. */
  readonly digests: Readonly<Record<number, string>>;
}

/** What a gateway decides about an envelope whose signature is verified, and the state to keep with it. */
export interface ReplayDecision {
  readonly verdict: "accepted" | "replay" | "duplicate";
  /** The same object as before unless the verdict is `accepted`. */
  readonly next: ReplayState;
}

/**
 * Decides whether an envelope is new to a gateway. Only for one whose signature is verified, and `next` is to be
 * stored in one transaction with the envelope's row in the spool.
 * @param digest - the envelope's digest in hex; equal digests are the same bytes
 */
export function decideReplay(
  state: ReplayState | undefined,
  bootId: number,
  seq: number,
  digest: string,
): ReplayDecision {
  if (state === undefined || bootId > state.bootId) {
    return { verdict: "accepted", next: { bootId, highest: seq, digests: { [seq]: digest } } };
  }
  if (bootId < state.bootId || seq <= state.highest - REPLAY_WINDOW) return { verdict: "replay", next: state };
  const before = state.digests[seq];
  if (before !== undefined) return { verdict: before === digest ? "duplicate" : "replay", next: state };
  const highest = Math.max(state.highest, seq);
  const digests: Record<number, string> = { [seq]: digest };
  for (const [known, its] of Object.entries(state.digests)) {
    if (Number(known) > highest - REPLAY_WINDOW) digests[Number(known)] = its;
  }
  return { verdict: "accepted", next: { bootId, highest, digests } };
}
