import { VERDICTS } from "../../protocol/verdict.ts";
import { counter, dependencyMetric, gauge, type Metric } from "../runtime/metrics/metric.ts";
import type { CollectorCounters } from "./counters.ts";

/** Where {@link collectorMetrics} reads. */
export interface CollectorMetricsSource {
  readonly counters: CollectorCounters;
  readonly waiting: () => number;
  readonly held: () => number;
  readonly parked: () => number;
  /** 0 before the first allowlist. */
  readonly allowlistVersion: () => number;
  /** Milliseconds since the Unix epoch; 0 before the first fetch. */
  readonly freshSince: () => number;
  readonly dependencies: () => Readonly<Record<"broker" | "database" | "custody", boolean>>;
}

/** What the collector measures. */
export function collectorMetrics(source: CollectorMetricsSource): readonly Metric[] {
  const { counters } = source;
  return [
    dependencyMetric(source.dependencies),
    counter("collector_messages_received_total", "Messages that came from the broker.", () => counters.received),
    counter("collector_messages_accepted_total", "Messages that were stored.", () => counters.accepted),
    counter("collector_messages_late_total", "Of those stored, the ones that came late.", () => counters.late),
    {
      name: "collector_messages_rejected_total",
      help: "Messages that were not stored, by verdict.",
      type: "counter",
      label: { name: "verdict", values: VERDICTS.filter((verdict) => verdict !== "accepted") },
      read: () => counters.rejected,
    },
    {
      name: "collector_messages_dropped_total",
      help: "Messages that got no verdict and are to be sent again, by reason.",
      type: "counter",
      label: { name: "reason", values: [] },
      read: () => counters.dropped,
    },
    counter("collector_batches_total", "Batches written to the database.", () => counters.batches),
    counter("collector_receipts_total", "Receipts sent to gateways.", () => counters.receipts),
    gauge("collector_messages_waiting", "Messages that wait for a check.", source.waiting),
    gauge("collector_messages_held", "Messages in a check or in a write.", source.held),
    gauge("collector_messages_parked", "Messages of unknown sensors that wait for a newer allowlist.", source.parked),
    gauge("collector_allowlist_version", "Version of the allowlist in use.", source.allowlistVersion),
    gauge(
      "collector_allowlist_fresh_timestamp_seconds",
      "When the allowlist was last known to be the newest, in seconds since the Unix epoch; 0 before that.",
      () => source.freshSince() / 1000,
    ),
  ];
}
