import type { AllowlistCopy } from "./copy.ts";

/** Keeps the copy current. */
export interface AllowlistKeeper {
  /**
   * The copy holds whatever the backend had signed at this moment (milliseconds since the Unix epoch); 0 when this run has not
   * reached the backend yet. `unknown-sensor` may be said of messages that came before it, and of no others.
   */
  readonly freshSince: () => number;
  /** Fetches as soon as the rate limit lets it: something points to a newer list. */
  readonly refresh: () => void;
  /** Why the last fetch failed, or null. */
  readonly failure: () => unknown;
  readonly stop: () => void;
}

/** What {@link createAllowlistKeeper} works with. */
export interface AllowlistKeeperOptions {
  readonly copy: AllowlistCopy;
  /** Gives the signed allowlist, or throws. */
  readonly fetch: () => Promise<string>;
  readonly now: () => number;
  readonly intervalMs: number;
  /** Least time between the starts of two fetches. */
  readonly minGapMs: number;
  /** Called when the copy changed, before {@link onFresh}. */
  readonly onChange: () => void;
  /** Called after every fetch that succeeded. */
  readonly onFresh: () => void;
  /** Called when fetching begins to fail, or fails in another way. */
  readonly onFailure: (thrown: unknown) => void;
}

/** Fetches at once, then every interval, and sooner when asked. */
export function createAllowlistKeeper(options: AllowlistKeeperOptions): AllowlistKeeper {
  const { copy, now } = options;
  let freshSince = 0;
  let lastStart = Number.NEGATIVE_INFINITY;
  let failure: unknown = null;
  let fetching = false;
  let wanted = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function schedule(delayMs: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(poll, delayMs);
  }

  const gapLeft = (): number => Math.max(0, lastStart + options.minGapMs - now());

  async function poll(): Promise<void> {
    fetching = true;
    wanted = false;
    lastStart = now();
    const startedAt = lastStart;
    try {
      const dsse = await options.fetch();
      if (stopped) return;
      if (copy.take(dsse)) options.onChange();
      freshSince = startedAt;
      failure = null;
      options.onFresh();
    } catch (thrown) {
      if (String(thrown) !== String(failure)) options.onFailure(thrown);
      failure = thrown;
    } finally {
      fetching = false;
      schedule(wanted ? gapLeft() : options.intervalMs);
    }
  }

  schedule(0);
  return {
    freshSince: () => freshSince,
    failure: () => failure,
    refresh: () => {
      if (wanted) return;
      wanted = true;
      if (!fetching) schedule(gapLeft());
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
