import { describeTls } from "../runtime/broker-trust/own-tls.ts";
import { gauge, type Metric } from "../runtime/metrics/metric.ts";
import type { RunningService, ServiceContext } from "../runtime/run.ts";
import type { GuardConfig } from "./config.ts";
import { guardMetrics } from "./counters.ts";
import { createGuard, type Guard, type GuardOptions } from "./guard.ts";

const HOUR_MS = 3_600_000;

/** A guard at work, and a way to have it look at once. */
export interface RunningGuard extends RunningService {
  readonly lookNow: () => void;
}

/**
 * Starts Mosquitto, and keeps what it trusts up to date: looks every `trust.pollSeconds`, and when told to. Resolves after the
 * first look, whatever it found: without valid lists there is no Mosquitto until the backend has some.
 */
export async function startGuard(context: ServiceContext<GuardConfig>, options: GuardOptions): Promise<RunningGuard> {
  const { config, log, now, signal } = context;
  const guard = createGuard(context, options);
  let warnedAt = 0;
  const ending = () => endingSoon(guard, now(), config.alarmHours);
  const warn = (): void => {
    if (ending().length === 0 || now() - warnedAt < HOUR_MS) return;
    warnedAt = now();
    log.warn({ issuers: ending() }, `revocation lists end in less than ${config.alarmHours} hours`);
  };
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  const lookNow = (): void => {
    clearTimeout(timer);
    looking = looking.then(async () => {
      if (signal.aborted) return;
      await guard.look();
      warn();
      clearTimeout(timer);
      timer = setTimeout(lookNow, config.trust.pollSeconds * 1000);
    });
  };
  lookNow();
  await looking;
  return {
    lookNow,
    ready: () => guard.reason() === undefined,
    status: () => statusOf(guard),
    metrics: [...metricsOf(guard, () => ending().length)],
    stop: async () => {
      clearTimeout(timer);
      await looking;
      clearTimeout(timer);
      await guard.stop();
    },
  };
}

function statusOf(guard: Guard): object {
  const force = guard.force();
  const reason = guard.reason();
  const issuers = (force?.crls ?? []).map(({ issuer, number, nextUpdate }) => ({
    issuer,
    number: String(number),
    nextUpdate: nextUpdate.toISOString(),
  }));
  return {
    counters: guard.counters,
    crl: { issuers },
    ...(force && { tls: describeTls(force.tls) }),
    ...(reason && { reason }),
  };
}

function metricsOf(guard: Guard, ending: () => number): readonly Metric[] {
  const crls = () => guard.force()?.crls ?? [];
  return [
    ...guardMetrics({ counters: guard.counters, crls, ending }),
    gauge("broker_running", "Whether the broker runs as it must.", () => (guard.reason() === undefined ? 1 : 0)),
  ];
}

/** Issuers whose list in force ends in less than so many hours. */
function endingSoon(guard: Guard, now: number, hours: number): readonly string[] {
  const crls = guard.force()?.crls ?? [];
  return crls.filter(({ nextUpdate }) => nextUpdate.getTime() - now < hours * HOUR_MS).map(({ issuer }) => issuer);
}
