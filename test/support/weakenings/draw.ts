/** Drawn values that one seed decides. */
export interface Draw {
  /** A whole number from 0 up to, and without, `end`. */
  readonly below: (end: number) => number;
  /** One of a list, which is not empty. */
  readonly pick: <T>(list: readonly T[]) => T;
}

/** Draws by the generator mulberry32: good enough to spread over targets, and the same on every machine. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return {
    below,
    pick: (list) => {
      const drawn = list[below(list.length)];
      if (drawn === undefined) throw new RangeError("there is nothing to draw from");
      return drawn;
    },
  };
}
