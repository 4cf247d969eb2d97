import { kemErrors } from "../../custody/kem-errors.ts";

/** How much one client may have opened. */
export interface Limits {
  readonly itemsPerSecond: number;
  readonly itemsInFlight: number;
}

/** Admits items, or refuses them. */
export interface Admission {
  /**
   * Takes so many items in; the function that it gives lets them go, once.
   * @throws CUSTODY_KEM_RATE
   */
  readonly admit: (items: number) => () => void;
}

/**
 * A token bucket that holds one second's worth, and a bound on what is under way: an intruder who uses custody as an oracle
 * is as slow as this, and cannot fill memory.
 * @param now monotonic, in milliseconds
 */
export function createAdmission({ itemsPerSecond, itemsInFlight }: Limits, now: () => number): Admission {
  let tokens = itemsPerSecond;
  let filledAt = now();
  let underWay = 0;
  return {
    admit: (items) => {
      const at = now();
      tokens = Math.min(itemsPerSecond, tokens + ((at - filledAt) / 1000) * itemsPerSecond);
      filledAt = at;
      // A batch that is larger than the bucket is let in when it is full, and leaves a debt.
      if (tokens < Math.min(items, itemsPerSecond))
        throw refused(`${items} items; accepted: ${itemsPerSecond} in a second`);
      if (underWay > 0 && underWay + items > itemsInFlight)
        throw refused(`${items} items; accepted: ${itemsInFlight} under way, and ${underWay} are`);
      tokens -= items;
      underWay += items;
      return () => {
        underWay -= items;
      };
    },
  };
}

function refused(why: string): Error {
  return kemErrors.error("CUSTODY_KEM_RATE", `refused for its rate: ${why}`);
}
