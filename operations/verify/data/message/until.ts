import { setTimeout as sleep } from "node:timers/promises";
import { hostErrors } from "../../../../stacks/host/errors.ts";

/** How {@link until} waits. Times in milliseconds. */
export interface Patience {
  readonly limitMs: number;
  readonly everyMs: number;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

/**
 * Asks again and again until the answer is true, or the time is over.
 * @returns the last answer
 * @throws DEPLOY_CANCELLED when `signal` aborts, and what asking throws
 */
export async function until(ask: () => Promise<boolean>, patience: Patience): Promise<boolean> {
  const { limitMs, everyMs, clock, signal } = patience;
  const end = clock().getTime() + limitMs;
  for (;;) {
    if (signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", "interrupted while the boundary was verified");
    if (await ask()) return true;
    if (clock().getTime() >= end) return false;
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
