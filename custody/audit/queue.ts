import type { AuditEntry, AuditRecord, SessionEntry } from "./record.ts";
import { MAX_COMMIT_RECORDS } from "./recover.ts";
import { asAuditError, unavailable } from "./unavailable.ts";

/** Most entries that wait for their commit; one more is refused at once. */
const MAX_WAITING = 4 * MAX_COMMIT_RECORDS;

/** What {@link commitQueue} needs. */
export interface CommitQueueOptions {
  /** How long an entry waits, in milliseconds. */
  readonly limitMs: number;
  /** Puts entries on the disk, in order; `wanted` turns false when nobody waits for them any more. */
  readonly commit: (
    entries: readonly (AuditEntry | SessionEntry)[],
    wanted: () => boolean,
  ) => Promise<readonly AuditRecord[]>;
}

/** Brings what comes at once to the disk at once. */
export interface CommitQueue {
  readonly append: (entry: AuditEntry | SessionEntry) => Promise<AuditRecord>;
  /** Takes nothing more. Resolves when nothing is being written. */
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly entry: AuditEntry | SessionEntry;
  readonly resolve: (record: AuditRecord) => void;
  readonly reject: (reason: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Group commit, one at a time: whatever waits when a commit ends is the next one. When an entry has waited too long, all that
 * wait are refused, and whoever comes while that commit hangs is refused at once: nothing piles up behind a disk that is stuck,
 * neither here nor in the thread pool.
 */
export function commitQueue({ limitMs, commit }: CommitQueueOptions): CommitQueue {
  let waiting: Waiting[] = [];
  let inCommit: readonly Waiting[] = [];
  let running: Promise<void> | undefined;
  let [late, closed] = [false, false];

  const giveUp = (): void => {
    late = true;
    refuse([...inCommit, ...waiting], unavailable(`it takes longer than ${limitMs} ms`));
    waiting = [];
  };
  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      inCommit = waiting.slice(0, MAX_COMMIT_RECORDS);
      waiting = waiting.slice(MAX_COMMIT_RECORDS);
      try {
        const entries = inCommit.map(({ entry }) => entry);
        settle(inCommit, await commit(entries, () => !late));
      } catch (thrown) {
        refuse(inCommit, asAuditError(thrown));
      }
      inCommit = [];
      late = false;
    }
    running = undefined;
  };
  return {
    append: (entry) => {
      if (closed) return Promise.reject(unavailable("it is closed"));
      if (late) return Promise.reject(unavailable("the disk does not answer"));
      if (waiting.length >= MAX_WAITING) return Promise.reject(unavailable(`${MAX_WAITING} records wait already`));
      return new Promise((resolve, reject) => {
        waiting.push({ entry, resolve, reject, timer: setTimeout(giveUp, limitMs) });
        running ??= run();
      });
    },
    close: () => {
      closed = true;
      return running ?? Promise.resolve();
    },
  };
}

function settle(entries: readonly Waiting[], records: readonly AuditRecord[]): void {
  entries.forEach(({ resolve, timer }, index) => {
    clearTimeout(timer);
    resolve(records[index] as AuditRecord);
  });
}

function refuse(entries: readonly Waiting[], reason: unknown): void {
  for (const { reject, timer } of entries) {
    clearTimeout(timer);
    reject(reason);
  }
}
