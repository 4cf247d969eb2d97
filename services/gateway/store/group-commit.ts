import type { DatabaseSync } from "node:sqlite";

/** Runs many pieces of work in one transaction, so that one sync of the disk serves all of them. */
export interface GroupCommit {
  /**
   * Resolves with the result of `work` once it is on the disk. Rejects with the database's error when the transaction
   * failed; then nothing of it has happened.
   */
  readonly run: <T>(work: () => T) => Promise<T>;
}

interface Job {
  readonly work: () => unknown;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_JOBS = 500;

/**
 * Makes a {@link GroupCommit}. What arrives in one turn of the event loop shares a transaction.
 * @param onRollback - called when a transaction is undone; must not throw
 */
export function createGroupCommit(database: DatabaseSync, onRollback: () => void): GroupCommit {
  let queue: Job[] = [];

  function rollBack(): void {
    try {
      database.exec("ROLLBACK");
    } catch {
      // Tried again before the next transaction.
    }
  }

  function flush(): void {
    const jobs = queue.slice(0, MAX_JOBS);
    queue = queue.slice(MAX_JOBS);
    if (queue.length > 0) setImmediate(flush);
    try {
      // A disk that fails may fail at the ROLLBACK too.
      if (database.isTransaction) database.exec("ROLLBACK");
      database.exec("BEGIN IMMEDIATE");
      const results = jobs.map(({ work }) => work());
      database.exec("COMMIT");
      for (const [index, { resolve }] of jobs.entries()) resolve(results[index] as never);
    } catch (error) {
      if (database.isTransaction) rollBack();
      onRollback();
      for (const { reject } of jobs) reject(error);
    }
  }

  return {
    run: <T>(work: () => T) =>
      new Promise<T>((resolve, reject) => {
        queue.push({ work, resolve, reject });
        if (queue.length === 1) setImmediate(flush);
      }),
  };
}
