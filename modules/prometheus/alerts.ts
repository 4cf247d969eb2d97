/** How soon somebody must look: `critical` at once, `warning` on a working day. */
type Severity = "critical" | "warning";

interface Alert {
  readonly alert: string;
  /** PromQL; the alert fires for each series that it gives. */
  readonly expr: string;
  /** How long it must hold. */
  readonly for: string;
  readonly severity: Severity;
  /** What is wrong. */
  readonly summary: string;
  /** What mends it. */
  readonly fix: string;
}

const WHERE = "{{ $labels.component }}";
/** Share of its life that the certificate of a component has left; of a gateway's two, the one that has less. */
const LIFE_LEFT = `min by (component) (${lifeLeft("")} or label_replace(${lifeLeft("gateway_")}, "of", "gateway", "", ""))`;
/** The same of each certificate that the backend has on record for others, and of the host's files where a node exporter reads them. */
const LEAF_LEFT =
  'min by (subject, used_by) (trustkern_certificate_life_left_ratio{class!="operators",state!="revoked"})';
const WHOSE =
  "{{ if $labels.subject }}{{ $labels.subject }} ({{ $labels.used_by }}){{ else }}{{ $labels.component }}{{ end }}";
/** Seconds before the end of the broker's revocation list that is in force, of each issuer. */
const CRL_LEFT = "trustkern_broker_crl_next_update_seconds - time()";
const HOUR_SECONDS = 3600;

/** The one alert on Loki's metrics. */
const OF_LOGS = "LogsNotArriving";

const ALERTS: readonly Alert[] = [
  {
    alert: "TargetDown",
    expr: "up == 0",
    for: "2m",
    severity: "critical",
    summary: `${WHERE} gives Prometheus no metrics`,
    fix: "trustkern status says whether it runs; its log says why it does not",
  },
  {
    alert: "NotReady",
    expr: "trustkern_ready == 0",
    for: "5m",
    severity: "warning",
    summary: `${WHERE} runs and cannot do its work`,
    fix: "trustkern status names what is missing",
  },
  {
    alert: "CustodyUnreachable",
    expr: 'trustkern_dependency_up{dependency="custody"} == 0',
    for: "1m",
    severity: "critical",
    summary: `custody does not answer ${WHERE}, or is sealed: no message is opened`,
    fix: "trustkern status says which; unseal custody, or read its log",
  },
  {
    alert: "DatabaseAway",
    expr: 'trustkern_dependency_up{dependency="database"} == 0',
    for: "1m",
    severity: "critical",
    summary: `the database does not answer ${WHERE}: no message is stored`,
    fix: "trustkern status; then the database's log, and the disk that its volume is on",
  },
  {
    alert: "BrokerAway",
    expr: 'trustkern_dependency_up{dependency="broker"} == 0',
    for: "2m",
    severity: "critical",
    summary: `the broker does not answer ${WHERE}`,
    fix: "trustkern status; then the broker's log",
  },
  {
    alert: "GatewaySpoolGrowing",
    expr: "trustkern_gateway_spool_messages > 1000 and deriv(trustkern_gateway_spool_messages[10m]) > 0",
    for: "10m",
    severity: "warning",
    summary: `${WHERE} takes more messages than it gets receipts for`,
    fix: "look for BrokerAway, DatabaseAway and CustodyUnreachable first; else give the collector more workers",
  },
  {
    alert: "GatewayRefusesMessages",
    expr: "increase(trustkern_gateway_messages_unavailable_total[5m]) > 0",
    for: "0m",
    severity: "critical",
    summary: `${WHERE} answers sensors 5.03: its spool is full, or its disk`,
    fix: "free the disk or raise gateway.spoolMaxBytes, and see why receipts do not come",
  },
  {
    alert: "MessagesRejected",
    expr: 'sum by (component, verdict) (increase(trustkern_collector_messages_rejected_total{verdict!="duplicate"}[10m])) > 0',
    for: "0m",
    severity: "warning",
    summary: `${WHERE} rejected messages that a gateway had let through: {{ $labels.verdict }}`,
    fix: "look up the security events INGEST_REJECTED in the log, and the messages in the quarantine",
  },
  {
    alert: "MessagesDropped",
    expr: "sum by (component, reason) (increase(trustkern_collector_messages_dropped_total[10m])) > 0",
    for: "0m",
    severity: "warning",
    summary: `${WHERE} dropped messages without a verdict ({{ $labels.reason }}); gateways send them again`,
    fix: "overflow: give the collector more workers; unlisted: see AllowlistStale; fault: read its log",
  },
  {
    alert: "AllowlistStale",
    expr: "time() - trustkern_collector_allowlist_fresh_timestamp_seconds > 300",
    for: "5m",
    severity: "warning",
    summary: `${WHERE} has not heard from the backend: a revocation would not reach it`,
    fix: "trustkern status; then the backend's log",
  },
  ...[
    { alert: "RenewalOverdue", share: 0.2, severity: "warning" } as const,
    { alert: "RenewalLongOverdue", share: 0.1, severity: "critical" } as const,
    { alert: "CertificateEnding", share: 0.03, severity: "critical" } as const,
  ].map(({ alert, share, severity }) => ({
    alert,
    expr: `${LIFE_LEFT} < ${share} or ${LEAF_LEFT} < ${share}`,
    for: "0m",
    severity,
    summary: `the certificate of ${WHOSE} should have been renewed at a third of its life; {{ $value | humanizePercentage }} are left`,
    fix: "trustkern certs list --fleet says where it is used; trustkern certs renew renews what this host issues, a gateway renews itself (its log says what it waits for), certs rotate replaces an authority; a gateway that is gone for good: trustkern gateway revoke",
  })),
  {
    alert: "RevocationListEnding",
    expr: `${CRL_LEFT} < ${96 * HOUR_SECONDS}`,
    for: "15m",
    severity: "warning",
    summary:
      "the broker's revocation list of {{ $labels.issuer }} ends in {{ $value | humanizeDuration }} and is not refreshed",
    fix: "trustkern status; then the log of the issuer, of the backend and of the broker, in this order",
  },
  {
    alert: "RevocationListEnds",
    expr: `${CRL_LEFT} < ${72 * HOUR_SECONDS}`,
    for: "0m",
    severity: "critical",
    summary:
      "the broker's revocation list of {{ $labels.issuer }} ends in {{ $value | humanizeDuration }}; then it takes no client",
    fix: "trustkern certs crl publishes the lists anew",
  },
  {
    alert: "RevocationNotOrdered",
    expr: "increase(trustkern_backend_unordered_revocations_total[1h]) > 0",
    for: "0m",
    severity: "critical",
    summary: "an issuer's list revokes certificates that the backend did not have revoked; their holders are cut off",
    fix: "the security events CERT_REVOKED name them; find out who holds that authority's key, then trustkern certs rotate --what intermediate:CLASS",
  },
  {
    alert: "RevocationNotInForce",
    expr: "increase(trustkern_broker_probe_failures_total[10m]) > 0 or trustkern_broker_running == 0",
    for: "0m",
    severity: "critical",
    summary:
      "the broker did not treat a certificate that is revoked on purpose, or a good one, as it must, or does not run",
    fix: "the broker's log says which; a broker that takes revoked clients is stopped by its guard",
  },
  {
    alert: OF_LOGS,
    expr: 'sum(rate(loki_distributor_lines_received_total[10m])) == 0 or (up{component="loki"} == 1 unless on() loki_distributor_lines_received_total)',
    for: "10m",
    severity: "warning",
    summary: "no log line reaches Loki, though Loki itself writes some",
    fix: "trustkern status; then the log of the shipper, which docker keeps",
  },
];

/**
 * The alerting rules, in the form that Prometheus reads.
 * @param logs whether there is a Loki whose metrics it reads. @default true
 */
export function alertsYaml(logs = true): object {
  const rules = ALERTS.filter(({ alert }) => logs || alert !== OF_LOGS).map(
    ({ alert, expr, for: held, severity, summary, fix }) => ({
      alert,
      expr,
      for: held,
      labels: { severity },
      annotations: { summary, fix },
    }),
  );
  return { groups: [{ name: "trustkern", rules }] };
}

/** PromQL of the share of life left; the arithmetic drops the names, so that both kinds fit one vector. */
function lifeLeft(prefix: string): string {
  const [begin, end] = ["not_before", "not_after"].map(
    (which) => `trustkern_${prefix}certificate_${which}_timestamp_seconds`,
  );
  return `(${end} - time()) / (${end} - ${begin})`;
}
