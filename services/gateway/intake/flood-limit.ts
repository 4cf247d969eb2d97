/** A token bucket for each source address. */
export interface FloodLimit {
  /** Whether one more datagram of that address is worth any work. */
  readonly admit: (address: string) => boolean;
  /** Addresses that were turned away since the last call, with how often; at most 1000 are told apart. */
  readonly takeDropped: () => ReadonlyMap<string, number>;
}

/** Bounds of {@link createFloodLimit}. */
export interface FloodLimitOptions {
  /** Datagrams a second that one address may send for ever. */
  readonly perSecond: number;
  /** Datagrams that it may send at once. */
  readonly burst: number;
  /** Clock in milliseconds. */
  readonly now: () => number;
}

const MAX_ADDRESSES = 10_000;
const MAX_DROPPED = 1000;

/** Makes a {@link FloodLimit}. The address that was silent for longest is forgotten first. */
export function createFloodLimit({ perSecond, burst, now }: FloodLimitOptions): FloodLimit {
  const buckets = new Map<string, { tokens: number; at: number }>();
  let dropped = new Map<string, number>();

  return {
    admit(address) {
      const at = now();
      const before = buckets.get(address) ?? { tokens: burst, at };
      const tokens = Math.min(burst, before.tokens + ((at - before.at) / 1000) * perSecond);
      buckets.delete(address);
      buckets.set(address, { tokens: tokens >= 1 ? tokens - 1 : tokens, at });
      for (const oldest of buckets.keys()) {
        if (buckets.size <= MAX_ADDRESSES) break;
        buckets.delete(oldest);
      }
      if (tokens >= 1) return true;
      if (dropped.has(address) || dropped.size < MAX_DROPPED) dropped.set(address, (dropped.get(address) ?? 0) + 1);
      return false;
    },
    takeDropped() {
      const taken = dropped;
      dropped = new Map();
      return taken;
    },
  };
}
