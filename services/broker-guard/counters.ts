import type { TrustedCrl } from "../runtime/broker-trust/trusted-crl.ts";
import { counter, gauge, type Metric } from "../runtime/metrics/metric.ts";

/** What the guard has done since it started; `GET /status` shows it. */
export interface GuardCounters {
  crlsPublished: number;
  crlsRefused: number;
  sessionsEnded: number;
  /** Of these, those that were as old as a session may be. */
  sessionsTooOld: number;
  probeFailures: number;
  restarts: number;
  feedFailures: number;
  pairsRefused: number;
}

/** All at zero. */
export function createGuardCounters(): GuardCounters {
  return {
    crlsPublished: 0,
    crlsRefused: 0,
    sessionsEnded: 0,
    sessionsTooOld: 0,
    probeFailures: 0,
    restarts: 0,
    feedFailures: 0,
    pairsRefused: 0,
  };
}

/** Where {@link guardMetrics} reads. */
export interface GuardMetricsSource {
  readonly counters: GuardCounters;
  readonly crls: () => readonly TrustedCrl[];
  /** Lists with less time left than the alarm's. */
  readonly ending: () => number;
}

/** What the guard measures. */
export function guardMetrics({ counters, crls, ending }: GuardMetricsSource): readonly Metric[] {
  return [
    {
      name: "broker_crl_next_update_seconds",
      help: "End of the revocation list in force, in seconds since the Unix epoch, by its issuer.",
      type: "gauge",
      label: { name: "issuer", values: [] },
      read: () => Object.fromEntries(crls().map(({ issuer, nextUpdate }) => [issuer, nextUpdate.getTime() / 1000])),
    },
    gauge("broker_crl_ending", "Revocation lists in force that end sooner than the alarm allows.", ending),
    counter("broker_sessions_ended_total", "Users whose sessions were ended.", () => counters.sessionsEnded),
    counter(
      "broker_sessions_too_old_total",
      "Sessions that were ended since they were as old as a session may be; whoever has a valid certificate is back at once.",
      () => counters.sessionsTooOld,
    ),
    counter("broker_crl_refused_total", "Revocation lists that were not taken.", () => counters.crlsRefused),
    counter("broker_probe_failures_total", "Probes that did not end as they must.", () => counters.probeFailures),
    counter("broker_restarts_total", "Times that the guard started the broker anew.", () => counters.restarts),
  ];
}
