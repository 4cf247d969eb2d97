import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../shared/errors.ts";
import { countRows, type Traffic } from "./traffic.ts";
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
  let before: Figures = await look(run);
  let lookedAt = now();
  while (await tick(signal)) {
    // Whatever is away comes back: a deployment does not end because it could not be looked at.
    const seen: Figures & { trouble?: string } = await look(run).catch((thrown: unknown) => ({
      ...before,
      trouble: messageOf(thrown),
    }));
    const elapsed = now() - lookedAt;
    lookedAt += elapsed;
    const messagesPerSecond = Math.max(0, ((seen.rows - before.rows) * 1_000) / elapsed);
    const { trouble: _, ...figures } = seen;
    before = figures;
    yield { ...seen, messagesPerSecond };
  }
}

type Figures = Omit<Second, "messagesPerSecond" | "trouble">;

async function look(run: Up): Promise<Figures> {
  const [traffic, rows] = await Promise.all([run.meter.read(), countRows(run.database)]);
  return { ...traffic, rows };
}

async function tick(signal: AbortSignal): Promise<boolean> {
  await sleep(SECOND_MS, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
