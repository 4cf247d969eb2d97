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
const DAY_SECONDS = 86_400;
/** Seconds that the certificate of a component has left; of a gateway's two, the one that ends first. */
const CERTIFICATE_LEFT =
  'min by (component) ({__name__=~"trustkern_(gateway_)?certificate_not_after_timestamp_seconds"}) - time()';

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
  {
    alert: "CertificateExpiring",
    expr: `${CERTIFICATE_LEFT} < ${14 * DAY_SECONDS}`,
    for: "0m",
    severity: "warning",
    summary: `the certificate of ${WHERE} ends in {{ $value | humanizeDuration }}`,
    fix: "renew it",
  },
  {
    alert: "CertificateEnding",
    expr: `${CERTIFICATE_LEFT} < ${3 * DAY_SECONDS}`,
    for: "0m",
    severity: "critical",
    summary: `the certificate of ${WHERE} ends in {{ $value | humanizeDuration }}, and its connections with it`,
    fix: "renew it now",
  },
  {
    alert: "LogsNotArriving",
    expr: 'sum(rate(loki_distributor_lines_received_total[10m])) == 0 or (up{component="loki"} == 1 unless on() loki_distributor_lines_received_total)',
    for: "10m",
    severity: "warning",
    summary: "no log line reaches Loki, though Loki itself writes some",
    fix: "trustkern status; then the log of the shipper, which docker keeps",
  },
];

/** The alerting rules, in the form that Prometheus reads. */
export function alertsYaml(): object {
  const rules = ALERTS.map(({ alert, expr, for: held, severity, summary, fix }) => ({
    alert,
    expr,
    for: held,
    labels: { severity },
    annotations: { summary, fix },
  }));
  return { groups: [{ name: "trustkern", rules }] };
}
