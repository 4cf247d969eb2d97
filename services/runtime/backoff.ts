import { setTimeout as delay } from "node:timers/promises";

/** Waiting times between attempts, growing until one succeeds. */
export interface Backoff {
  /** Milliseconds to wait before the next attempt; doubles from call to call. */
  readonly next: () => number;
  /** Called after a success. */
  readonly reset: () => void;
}

/** Bounds of a {@link Backoff}. */
export interface BackoffOptions {
  /** @default 100 */
  readonly minMs?: number;
  /** @default 5000 */
  readonly maxMs?: number;
}

/** Doubling waiting times between `minMs` and `maxMs`. */
export function createBackoff({ minMs = 100, maxMs = 5000 }: BackoffOptions = {}): Backoff {
  let waitMs = minMs;
  return {
    next: () => {
      const now = waitMs;
      waitMs = Math.min(waitMs * 2, maxMs);
      return now;
    },
    reset: () => {
      waitMs = minMs;
    },
  };
}

/** What {@link keepTrying} needs beside the attempt. */
export interface KeepTryingOptions extends BackoffOptions {
  /** Ends the trying; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Told each failure and the wait that follows it. */
  readonly onFailure: (thrown: unknown, waitMs: number) => void;
}

/** Repeats `attempt` with back-off until it succeeds or the signal aborts. */
export async function keepTrying<T>(attempt: () => Promise<T>, options: KeepTryingOptions): Promise<T> {
  const backoff = createBackoff(options);
  for (;;) {
    options.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (thrown) {
      const waitMs = backoff.next();
      options.onFailure(thrown, waitMs);
      await delay(waitMs, undefined, { signal: options.signal });
    }
  }
}
