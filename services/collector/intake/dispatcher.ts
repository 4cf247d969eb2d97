import type { CheckedBatch, WorkerPool } from "../verify/pool.ts";
import type { IntakeQueue, Message } from "./queue.ts";

/** Why a message was dropped without a verdict; its gateway sends it again. */
export type DropReason = "overflow" | "unlisted" | "fault";

/** Moves messages from the queue to the threads. */
export interface Dispatcher {
  /** Takes a message from the broker; never waits. */
  readonly accept: (message: Message) => void;
  /** Gives the threads what waits and fits. */
  readonly pump: () => void;
  /** Takes what a thread found: verdicts go on to `onVerdicts`, the rest is parked or dropped. */
  readonly onChecked: (batch: CheckedBatch) => void;
  /** Checks again what was parked before the allowlist became this fresh, and drops what has waited too long. */
  readonly retryParked: () => void;
  /** Messages that wait for a fresh allowlist. */
  readonly parked: () => number;
}

/** What {@link createDispatcher} works with. */
export interface DispatcherOptions {
  readonly queue: IntakeQueue;
  readonly pool: Pick<WorkerPool, "hasRoom" | "dispatch">;
  /** See `AllowlistKeeper.freshSince`. */
  readonly freshSince: () => number;
  readonly refreshAllowlist: () => void;
  /** Whether the threads have an allowlist at all. */
  readonly hasAllowlist: () => boolean;
  readonly now: () => number;
  /** Messages for one thread at a time. */
  readonly batchSize: number;
  /** Messages that may be under way, in threads and to the database. */
  readonly maxHeld: number;
  /** How long a message of an unlisted sensor waits for a fresh allowlist. */
  readonly parkMs: number;
  readonly onVerdicts: (batch: CheckedBatch) => void;
  readonly onDropped: (messages: readonly Message[], reason: DropReason) => void;
}

/**
 * The rule for sensors that the allowlist copy does not know: `unknown-sensor` is said only by a copy that was fetched after the
 * message came. Until then the message is parked and a fetch is asked for; when the backend stays away it is dropped without a
 * verdict, and comes again. So a sensor that was allowed a moment ago never ends in quarantine because the copy was late.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { queue, pool, now } = options;
  let parked: readonly Message[] = [];
  let scheduled = false;

  function pump(): void {
    scheduled = false;
    while (
      options.hasAllowlist() &&
      queue.waiting() > 0 &&
      pool.hasRoom() &&
      queue.held() - parked.length < options.maxHeld
    )
      pool.dispatch(queue.take(options.batchSize), false);
  }

  function drop(messages: readonly Message[], reason: DropReason): void {
    if (messages.length === 0) return;
    queue.release(messages);
    options.onDropped(messages, reason);
  }

  return {
    accept: (message) => {
      if (!queue.push(message)) options.onDropped([message], "overflow");
      else if (!scheduled) {
        scheduled = true;
        // What else this turn of the event loop brings goes into the same batch.
        setImmediate(pump);
      }
    },
    pump,
    onChecked: (batch) => {
      const judged: number[] = [];
      const unlisted: Message[] = [];
      const faulty: Message[] = [];
      batch.messages.forEach((message, index) => {
        const outcome = batch.results[index]?.outcome ?? "fault";
        if (outcome === "unlisted") unlisted.push(message);
        else if (outcome === "fault") faulty.push(message);
        else judged.push(index);
      });
      if (unlisted.length > 0) {
        parked = parked.concat(unlisted);
        options.refreshAllowlist();
      }
      drop(faulty, "fault");
      if (judged.length > 0) options.onVerdicts(judged.length === batch.messages.length ? batch : pick(batch, judged));
      pump();
    },
    retryParked: () => {
      const freshSince = options.freshSince();
      const ready = parked.filter(({ receivedAtMs }) => receivedAtMs < freshSince);
      const waiting = parked.filter(({ receivedAtMs }) => receivedAtMs >= freshSince);
      parked = waiting.filter(({ receivedAtMs }) => now() - receivedAtMs < options.parkMs);
      drop(
        waiting.filter(({ receivedAtMs }) => now() - receivedAtMs >= options.parkMs),
        "unlisted",
      );
      for (let at = 0; at < ready.length; at += options.batchSize)
        pool.dispatch(ready.slice(at, at + options.batchSize), true);
      if (parked.length > 0) options.refreshAllowlist();
    },
    parked: () => parked.length,
  };
}

function pick({ messages, results, allowlistVersion }: CheckedBatch, indices: readonly number[]): CheckedBatch {
  const at = <T>(items: readonly T[]): readonly T[] =>
    indices.flatMap((index) => (index in items ? [items[index] as T] : []));
  return { messages: at(messages), results: at(results), allowlistVersion };
}
