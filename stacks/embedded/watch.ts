import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import { countRows, readTraffic, type Traffic } from "./traffic.ts";
import type { Up } from "./up.ts";

/** One second of a deployment that is up. */
export interface Second extends Traffic {
  readonly rows: number;
  /** Messages that became rows in this second. */
  readonly messagesPerSecond: number;
  /** A component that does not answer; the other figures are those of the second before. */
  readonly trouble?: string;
}

const SECOND_MS = 1_000;

/** Keeps the simulated sensors sending, and says every second what became of it, until `signal` aborts. */
export async function* watch(run: Up, signal: AbortSignal, now: () => number): AsyncGenerator<Second> {
  await run.deployed.control("simulator", "POST", "/run", { rate: run.ratePerSecond, total: null });
  let before = await look(run);
  let lookedAt = now();
  while (await tick(signal)) {
    const seen = await look(run).catch((thrown: unknown) => {
      if (!(thrown instanceof TrustKernError)) throw thrown;
      return { ...before, trouble: messageOf(thrown) };
    });
    const elapsed = now() - lookedAt;
    lookedAt += elapsed;
    const messagesPerSecond = Math.max(0, ((seen.rows - before.rows) * 1_000) / elapsed);
    before = seen;
    yield { ...seen, messagesPerSecond };
  }
}

async function look(run: Up): Promise<Omit<Second, "messagesPerSecond">> {
  const [traffic, rows] = await Promise.all([readTraffic(run.deployed), countRows(run.database)]);
  return { ...traffic, rows };
}

async function tick(signal: AbortSignal): Promise<boolean> {
  await sleep(SECOND_MS, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
