import { keepTrying } from "../runtime/backoff.ts";

/** Gathers entries into batches and has one written at a time. */
export interface Writer<T> {
  readonly add: (entries: readonly T[]) => void;
  /** Writes now, an empty batch where there are no entries. */
  readonly nudge: () => void;
  /** Resolves once no write is under way; nothing is written after. */
  readonly stop: () => Promise<void>;
}

/** What {@link createWriter} works with. */
export interface WriterOptions<T> {
  /** Writes a batch in one transaction; may be called again with the same batch after it rejected. */
  readonly write: (batch: readonly T[]) => Promise<void>;
  readonly maxMessages: number;
  /** How long the first entry of a batch waits for others. */
  readonly maxWaitMs: number;
  /** Told each attempt that failed. The batch waits, and is tried again: a database that is away is no verdict. */
  readonly onFailure: (thrown: unknown) => void;
}

/** Writes when a batch is full or its first entry has waited long enough, and at once what came while another was written. */
export function createWriter<T>({ write, maxMessages, maxWaitMs, onFailure }: WriterOptions<T>): Writer<T> {
  let entries: T[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let nudged = false;
  const stopping = new AbortController();
  const { signal } = stopping;

  function start(): void {
    clearTimeout(timer);
    timer = undefined;
    running ??= run().finally(() => {
      running = undefined;
    });
  }

  async function run(): Promise<void> {
    while ((entries.length > 0 || nudged) && !signal.aborted) {
      nudged = false;
      const batch = entries.splice(0, maxMessages);
      await keepTrying(() => write(batch), { signal, onFailure }).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
      });
    }
  }

  return {
    add: (added) => {
      entries = entries.concat(added);
      if (entries.length >= maxMessages) start();
      else if (!running) timer ??= setTimeout(start, maxWaitMs);
    },
    nudge: () => {
      nudged = true;
      start();
    },
    stop: async () => {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
