import { messageOf } from "../../shared/errors.ts";
import type { TextRow } from "./engine.ts";
import type { Multiplexer } from "./multiplexer.ts";

/** A policy or action that Timescale wants run again and again. */
export interface Job {
  readonly id: number;
  /** The role that made it, and that it would run as. */
  readonly owner: string;
  readonly intervalSeconds: number;
}

/** Ids below are Timescale's own (telemetry), which stay off. */
const JOBS_QUERY = `
  SELECT job_id, owner, extract(epoch FROM schedule_interval) FROM timescaledb_information.jobs
  WHERE scheduled AND job_id >= 1000 ORDER BY job_id`;

/** Jobs of `owner` whose interval is over; one that never ran here is due at once. Nobody else's run: only the owner is to have some. */
export function planDueJobs(
  jobs: readonly Job[],
  owner: string,
  lastRunMs: ReadonlyMap<number, number>,
  nowMs: number,
): Job[] {
  return jobs.filter((job) => {
    const { id, intervalSeconds } = job;
    if (job.owner !== owner) return false;
    const last = lastRunMs.get(id);
    return last === undefined || nowMs - last >= intervalSeconds * 1000;
  });
}

/** Surroundings of {@link createJobRunner}. */
export interface JobRunnerOptions {
  readonly multiplexer: Pick<Multiplexer, "run">;
  /** The role whose jobs run, and as which they run. */
  readonly owner: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly onFailure: (job: Job, message: string) => void;
}

/** Does what Timescale's scheduler does elsewhere: WebAssembly has no background workers. */
export interface JobRunner {
  /** Runs every job that is due, one after the other, each in a turn of its own. */
  readonly runDue: () => Promise<void>;
  readonly counters: () => { readonly jobsRun: number; readonly jobsFailed: number };
}

/** A runner of the jobs of one database. */
export function createJobRunner({ multiplexer, owner, now, onFailure }: JobRunnerOptions): JobRunner {
  const lastRunMs = new Map<number, number>();
  let jobsRun = 0;
  let jobsFailed = 0;
  const runOne = async (job: Job): Promise<void> => {
    lastRunMs.set(job.id, now());
    jobsRun += 1;
    try {
      await multiplexer.run(owner, `CALL run_job(${job.id})`);
    } catch (thrown) {
      jobsFailed += 1;
      onFailure(job, messageOf(thrown));
    }
  };
  return {
    runDue: async () => {
      const jobs = (await multiplexer.run("postgres", JOBS_QUERY)).map(parseJob);
      for (const job of planDueJobs(jobs, owner, lastRunMs, now())) await runOne(job);
    },
    counters: () => ({ jobsRun, jobsFailed }),
  };
}

function parseJob([id, owner, interval]: TextRow): Job {
  return { id: Number(id), owner: owner ?? "", intervalSeconds: Number(interval) };
}
