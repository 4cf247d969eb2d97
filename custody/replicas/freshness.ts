/** A clock that does not go back, and one that goes on while the machine sleeps; both in milliseconds. */
export interface TwoClocks {
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
}

/** How long ago the writer was heard of, by whichever clock says longer. */
export interface Freshness {
  /** Of when the question was asked: an answer that was held back is as old as that. */
  readonly heard: (at: Moment) => void;
  /** Infinity until it was heard of. */
  readonly ageMs: () => number;
}

/** A moment by both clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** The moment of now. */
export function momentOf({ monotonicMs, wallMs }: TwoClocks): Moment {
  return { monotonicMs: monotonicMs(), wallMs: wallMs() };
}

/** Milliseconds since a moment; never less than either clock says. */
export function sinceMs(clocks: TwoClocks, at: Moment): number {
  return Math.max(clocks.monotonicMs() - at.monotonicMs, clocks.wallMs() - at.wallMs);
}

/** Nothing was heard yet. */
export function createFreshness(clocks: TwoClocks): Freshness {
  let last: Moment | null = null;
  return {
    heard: (at) => {
      if (last === null || at.monotonicMs > last.monotonicMs) last = at;
    },
    ageMs: () => (last === null ? Number.POSITIVE_INFINITY : sinceMs(clocks, last)),
  };
}
