import type { Multiplexer } from "./multiplexer.ts";

/** Bounds of the write-ahead log, and so of the time that a recovery takes. */
const CHECKPOINT_WAL_BYTES = 268_435_456;
const CHECKPOINT_MS = 300_000;
const VACUUM_MS = 3_600_000;

/** Does what Postgres' checkpointer and autovacuum do elsewhere: WebAssembly has no background processes. */
export interface Upkeep {
  readonly run: () => Promise<void>;
  readonly counters: () => { readonly checkpoints: number };
}

/** Upkeep of one database; `now` gives milliseconds. */
export function createUpkeep(multiplexer: Pick<Multiplexer, "run">, now: () => number): Upkeep {
  let checkpointLsn = 0;
  let checkpointMs = now();
  let vacuumMs = now();
  let checkpoints = 0;
  const query = (sql: string): ReturnType<Multiplexer["run"]> => multiplexer.run("postgres", sql);
  const lsn = async (): Promise<number> =>
    Number((await query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))[0]?.[0]);

  const checkpoint = async (): Promise<void> => {
    const written = (await lsn()) - checkpointLsn;
    if (written < CHECKPOINT_WAL_BYTES && (now() - checkpointMs < CHECKPOINT_MS || written === 0)) return;
    await query("CHECKPOINT");
    checkpointLsn = await lsn();
    checkpointMs = now();
    checkpoints += 1;
  };
  /** A table at a time, so that the clients get their turns between them. */
  const vacuum = async (): Promise<void> => {
    if (now() - vacuumMs < VACUUM_MS) return;
    vacuumMs = now();
    const tables = await query(
      "SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    );
    for (const [table] of tables) await query(`VACUUM (ANALYZE) ${table}`);
  };
  return {
    run: async () => {
      await checkpoint();
      await vacuum();
    },
    counters: () => ({ checkpoints }),
  };
}
