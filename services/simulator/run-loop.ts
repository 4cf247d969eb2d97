import { createBackoff } from "../runtime/backoff.ts";
import type { Fleet } from "./fleet.ts";
import type { Nvm } from "./sensor/nvm.ts";
import type { Sensor } from "./sensor/sensor.ts";

/** Lets the sensors send at a rate; a message that waits is sent again whether or not a run is on. */
export interface RunLoop {
  /** Starts a run in place of any other. It goes on after a restart. */
  readonly run: (rate: number, total: number | null) => void;
  readonly stop: () => void;
  /** Messages of the run that still want an answer or are not made yet; null for a run without an end. */
  readonly remaining: () => number | null;
  readonly close: () => void;
}

const TICK_MS = 20;

/** Starts the loop, and the run that was on when the process ended. */
export function startRunLoop(fleet: Fleet, nvm: Nvm, now: () => number, onError: (error: unknown) => void): RunLoop {
  const busy = new Set<string>();
  const waitUntil = new Map<string, number>();
  const backoffs = new Map<string, ReturnType<typeof createBackoff>>();
  let run = nvm.run();
  let budget = 0;
  let last = now();
  let next = 0;
  let closed = false;

  const isDue = (sensor: Sensor): boolean => !busy.has(sensor.id) && (waitUntil.get(sensor.id) ?? 0) <= now();

  async function act(sensor: Sensor, work: () => Promise<unknown>): Promise<void> {
    busy.add(sensor.id);
    const backoff = backoffs.get(sensor.id) ?? createBackoff();
    backoffs.set(sensor.id, backoff);
    try {
      await work();
    } catch (error) {
      if (closed) return;
      onError(error);
    }
    if (sensor.memory().pending) waitUntil.set(sensor.id, now() + backoff.next());
    else backoff.reset();
    busy.delete(sensor.id);
  }

  function countMade(): void {
    if (!run) return;
    run = { ...run, sent: run.sent + 1 };
    nvm.saveRun(run);
  }

  /** Messages that the run may begin now. */
  function allowance(): number {
    const elapsedMs = now() - last;
    last += elapsedMs;
    if (!run) return 0;
    budget = Math.min(budget + (elapsedMs * run.rate) / 1000, Math.max(1, run.rate));
    return Math.min(Math.floor(budget), run.total === null ? Number.POSITIVE_INFINITY : run.total - run.sent - started);
  }

  /** New messages that are begun but not made yet. */
  let started = 0;

  function tick(): void {
    const sensors = fleet.sensors();
    for (const sensor of sensors) {
      if (sensor.memory().pending && isDue(sensor)) void act(sensor, sensor.resend);
    }
    let allowed = allowance();
    for (let tried = 0; tried < sensors.length && allowed >= 1; tried++) {
      const sensor = sensors[next % sensors.length] as Sensor;
      next += 1;
      if (sensor.memory().state !== "joined" || !isDue(sensor)) continue;
      allowed -= 1;
      budget -= 1;
      started += 1;
      void act(sensor, () => sensor.measure(countMade)).finally(() => {
        started -= 1;
      });
    }
  }
  const timer = setInterval(tick, TICK_MS);

  return {
    run(rate, total) {
      run = { rate, total, sent: 0 };
      budget = 0;
      nvm.saveRun(run);
    },
    stop() {
      run = null;
      nvm.saveRun(null);
    },
    remaining() {
      const waiting = fleet.sensors().filter((sensor) => sensor.memory().pending).length;
      if (!run) return waiting;
      return run.total === null ? null : run.total - run.sent + waiting;
    },
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
