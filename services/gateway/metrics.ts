import { VERDICTS } from "../../protocol/verdict.ts";
import { certificateMetrics, counter, dependencyMetric, gauge, type Metric } from "../runtime/metrics/metric.ts";
import type { TlsStatus } from "../runtime/tls-set.ts";
import type { Counters } from "./counters.ts";

/** Where {@link gatewayMetrics} reads. */
export interface GatewayMetricsSource {
  readonly counters: Counters;
  readonly spooled: () => number;
  readonly inFlight: () => number;
  readonly quarantined: () => number;
  /** Null before the first allowlist. */
  readonly allowlist: () => { readonly version: number; readonly issuedAt: string } | null;
  readonly brokerConnected: () => boolean;
  /** The certificate that it shows to the broker; undefined before it has one. */
  readonly certificate: () => TlsStatus | undefined;
}

/** What a gateway measures. */
export function gatewayMetrics(source: GatewayMetricsSource): readonly Metric[] {
  const { counters, allowlist } = source;
  return [
    dependencyMetric(() => ({ broker: source.brokerConnected() })),
    counter("gateway_messages_accepted_total", "Messages that went into the spool.", () => counters.accepted),
    counter("gateway_messages_unavailable_total", "Messages that were answered 5.03.", () => counters.unavailable),
    counter("gateway_datagrams_flooded_total", "Datagrams dropped for their number.", () => counters.flooded),
    {
      name: "gateway_messages_rejected_total",
      help: "Messages that were refused or known already, by verdict.",
      type: "counter",
      label: { name: "verdict", values: VERDICTS.filter((verdict) => verdict !== "accepted") },
      read: () => counters.rejected,
    },
    {
      name: "gateway_receipts_total",
      help: "Receipts that ended the wait of a spooled message, by verdict.",
      type: "counter",
      label: { name: "verdict", values: VERDICTS },
      read: () => counters.receipts,
    },
    counter("gateway_receipts_unknown_total", "Receipts for what is not spooled.", () => counters.unknownReceipts),
    gauge("gateway_spool_messages", "Messages that wait for a receipt.", source.spooled),
    gauge("gateway_messages_in_flight", "Of those spooled, the ones on their way.", source.inFlight),
    gauge("gateway_quarantine_messages", "Refused messages that are kept.", source.quarantined),
    gauge("gateway_allowlist_version", "Version of the allowlist in use.", () => allowlist()?.version ?? null),
    gauge(
      "gateway_allowlist_issued_timestamp_seconds",
      "When the allowlist in use was signed, in seconds since the Unix epoch.",
      () => secondsOf(allowlist()?.issuedAt),
    ),
    ...certificateMetrics("gateway_", source.certificate),
  ];
}

function secondsOf(issuedAt: string | undefined): number | null {
  return issuedAt === undefined ? null : Date.parse(issuedAt) / 1000;
}
