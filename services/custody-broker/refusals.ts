import { MAX_REFUSALS, type Refusal } from "../../custody/kem-frames.ts";

/** Counts what was refused, for a record that stands for many. */
export interface Refusals {
  readonly count: (client: string, reason: Refusal["reason"]) => void;
  /** Hands over what was counted since the last call; what is not taken is counted further. */
  readonly flush: () => Promise<void>;
}

/** Stands for clients that there are too many of to name. */
const MANY = "many";

/**
 * The audit log hears of refusals at most as often as this is flushed, however many there are.
 * @param record puts them on record; rejects where that cannot be
 */
export function createRefusals(record: (refused: readonly Refusal[]) => Promise<void>): Refusals {
  let counted = new Map<string, Refusal>();

  function add({ client, reason, count }: Refusal): void {
    const key = `${reason} ${client}`;
    // Four of the places are for the reasons of those without a name of their own.
    if (!counted.has(key) && counted.size >= MAX_REFUSALS - 4 && client !== MANY) add({ client: MANY, reason, count });
    else counted.set(key, { client, reason, count: (counted.get(key)?.count ?? 0) + count });
  }

  return {
    count: (client, reason) => add({ client: client.slice(0, 64) || "unknown", reason, count: 1 }),
    flush: async () => {
      if (counted.size === 0) return;
      const refused = [...counted.values()];
      counted = new Map();
      await record(refused).catch(() => refused.forEach(add));
    },
  };
}
