/** What an alert is tried with: series of Prometheus in `promtool`'s notation, one value a minute. */
export interface AlertCase {
  readonly alert: string;
  readonly title: string;
  readonly series: Readonly<Record<string, string>>;
  /** Minute at which it is looked at. */
  readonly at: number;
  /** Number of alerts that fire. */
  readonly firing: 0 | 1;
}

const collector = (name: string, labels = ""): string => `${name}{component="collector"${labels}}`;
const gateway = (name: string): string => `${name}{component="gw-01"}`;
const dependency = (name: string): string => collector("trustkern_dependency_up", `,dependency="${name}"`);
const rejected = (verdict: string): string =>
  collector("trustkern_collector_messages_rejected_total", `,verdict="${verdict}"`);
const life = (prefix: string, endsInDays: number, days: number): Readonly<Record<string, string>> => ({
  [gateway(`trustkern_${prefix}certificate_not_before_timestamp_seconds`)]: `${(endsInDays - days) * DAY}x20`,
  [gateway(`trustkern_${prefix}certificate_not_after_timestamp_seconds`)]: `${endsInDays * DAY}x20`,
});
const CRL = 'trustkern_broker_crl_next_update_seconds{component="broker",issuer="TrustKern gateways"}';
const PROBES = 'trustkern_broker_probe_failures_total{component="broker"}';
const RUNNING = 'trustkern_broker_running{component="broker"}';
const LINES = 'loki_distributor_lines_received_total{component="loki"}';
const LOKI_UP = { 'up{component="loki"}': "1x40" };
const DAY = 86_400;

const UNORDERED = 'trustkern_backend_unordered_revocations_total{component="backend"}';
/** A certificate of an inventory, with that share of life left. */
const held = (share: number, labels: Readonly<Record<string, string>> = {}, values = `${share}x20`) => {
  const of = { component: "backend", subject: "CN=gw-09", serial: "a1", used_by: "fleet/gw-09" };
  const all = Object.entries({ ...of, class: "gateways", state: "ok", ...labels });
  return {
    [`trustkern_certificate_life_left_ratio{${all.map(([name, value]) => `${name}="${value}"`).join(",")}}`]: values,
  };
};

const fires = (alert: string, at: number, title: string, series: Readonly<Record<string, string>>): AlertCase => ({
  ...{ alert, at, title, series },
  firing: 1,
});
const isQuiet = (alert: string, at: number, title: string, series: Readonly<Record<string, string>>): AlertCase => ({
  ...{ alert, at, title, series },
  firing: 0,
});

/** Each alert at least once with what it is for, and once with what it is not for. */
export const ALERT_CASES: readonly AlertCase[] = [
  fires("TargetDown", 5, "a target that does not answer", { [collector("up")]: "0x10" }),
  isQuiet("TargetDown", 4, "one scrape that failed", { [collector("up")]: "1 1 1 1 0 1 1" }),
  fires("NotReady", 8, "a service that is not ready", { [collector("trustkern_ready")]: "0x10" }),
  isQuiet("NotReady", 3, "a service that starts", { [collector("trustkern_ready")]: "0x3 1x9" }),
  fires("CustodyUnreachable", 3, "sealed custody", {
    [dependency("custody")]: "0x10",
    [dependency("database")]: "1x10",
  }),
  isQuiet("CustodyUnreachable", 3, "another dependency", {
    [dependency("custody")]: "1x10",
    [dependency("broker")]: "0x10",
  }),
  fires("DatabaseAway", 3, "a database that is away", { [dependency("database")]: "0x10" }),
  isQuiet("DatabaseAway", 3, "a database that answers", { [dependency("database")]: "1x10" }),
  fires("BrokerAway", 4, "a broker that is away", { [dependency("broker")]: "0x10" }),
  isQuiet("BrokerAway", 1, "a broker that is started anew", { [dependency("broker")]: "0x2 1x10" }),
  fires("GatewaySpoolGrowing", 30, "a spool that grows", { [gateway("trustkern_gateway_spool_messages")]: "0+200x40" }),
  isQuiet("GatewaySpoolGrowing", 30, "a spool that drains", {
    [gateway("trustkern_gateway_spool_messages")]: "9000-200x40",
  }),
  isQuiet("GatewaySpoolGrowing", 30, "a small spool", { [gateway("trustkern_gateway_spool_messages")]: "0+10x40" }),
  fires("GatewayRefusesMessages", 5, "one refusal", {
    [gateway("trustkern_gateway_messages_unavailable_total")]: "0 0 0 0 1 1",
  }),
  isQuiet("GatewayRefusesMessages", 20, "refusals of long ago", {
    [gateway("trustkern_gateway_messages_unavailable_total")]: "0 1x40",
  }),
  fires("MessagesRejected", 5, "a forged message", { [rejected("bad-signature")]: "0 0 0 0 1 1" }),
  isQuiet("MessagesRejected", 5, "duplicates, which gateways send by design", { [rejected("duplicate")]: "0+9x10" }),
  fires("MessagesDropped", 5, "an overflow", {
    [collector("trustkern_collector_messages_dropped_total", ',reason="overflow"')]: "0 0 0 3 3 3",
  }),
  isQuiet("MessagesDropped", 5, "no drop", {
    [collector("trustkern_collector_messages_dropped_total", ',reason="overflow"')]: "3x10",
  }),
  fires("AllowlistStale", 20, "a backend that is away", {
    [collector("trustkern_collector_allowlist_fresh_timestamp_seconds")]: "0x40",
  }),
  isQuiet("AllowlistStale", 20, "a backend that answers", {
    [collector("trustkern_collector_allowlist_fresh_timestamp_seconds")]: "0+60x40",
  }),
  fires("RenewalOverdue", 5, "the older of a gateway's two certificates", {
    ...life("gateway_", 17, 90),
    ...life("", 20, 30),
  }),
  fires("RenewalOverdue", 5, "the younger one alone", { ...life("gateway_", 60, 90), ...life("", 5, 30) }),
  isQuiet("RenewalOverdue", 5, "certificates that are due for renewal now", {
    ...life("gateway_", 29, 90),
    ...life("", 9, 30),
  }),
  fires("RenewalLongOverdue", 5, "a tenth of life left", life("gateway_", 8, 90)),
  isQuiet("RenewalLongOverdue", 5, "a fifth of life left", life("gateway_", 17, 90)),
  fires("CertificateEnding", 5, "hours left of 30 days", life("", 0.8, 30)),
  isQuiet("CertificateEnding", 5, "a day left of 30", life("", 1, 30)),
  fires("RenewalOverdue", 5, "a gateway's certificate that the backend alone knows", held(0.19)),
  fires(
    "RenewalOverdue",
    5,
    "a file of the host's",
    held(0.19, { class: "services", used_by: "secrets/broker/tls.crt" }),
  ),
  isQuiet("RenewalOverdue", 5, "a gateway that renews in time", held(0.34)),
  isQuiet("RenewalOverdue", 5, "an operator's last minutes", held(0.05, { class: "operators" })),
  isQuiet("RenewalOverdue", 5, "a certificate that was taken back", held(0.05, { state: "revoked" })),
  isQuiet("RenewalOverdue", 5, "one that was renewed: it is another series", {
    ...held(0.05, {}, "0.05x2 stale"),
    ...held(0.99, { serial: "b2" }),
  }),
  fires("RenewalLongOverdue", 5, "a gateway's tenth of life", held(0.09)),
  isQuiet("RenewalLongOverdue", 5, "a gateway's fifth of life", held(0.19)),
  fires("CertificateEnding", 5, "a gateway's last days", held(0.02)),
  fires("CertificateEnding", 5, "a gateway that is cut off", held(0)),
  isQuiet("CertificateEnding", 5, "a gateway's tenth of life", held(0.09)),
  fires("RevocationNotOrdered", 5, "a list that revokes by itself", { [UNORDERED]: "0 0 0 0 2 2" }),
  isQuiet("RevocationNotOrdered", 5, "revocations that were ordered", { [UNORDERED]: "0x9" }),
  isQuiet("RevocationNotOrdered", 90, "one of long ago", { [UNORDERED]: "0 1x99" }),
  fires("RevocationListEnding", 20, "a list of four days", { [CRL]: `${95 * 3600}x40` }),
  isQuiet("RevocationListEnding", 10, "a list that is refreshed in time", { [CRL]: `${95 * 3600}x5 ${168 * 3600}x20` }),
  isQuiet("RevocationListEnding", 20, "a list of a week", { [CRL]: `${168 * 3600}x40` }),
  fires("RevocationListEnds", 5, "a list of less than three days", { [CRL]: `${72 * 3600}x20` }),
  isQuiet("RevocationListEnds", 5, "a list of four days", { [CRL]: `${95 * 3600}x20` }),
  fires("RevocationNotInForce", 5, "a probe that failed", { [PROBES]: "0 0 0 0 1 1", [RUNNING]: "1x9" }),
  fires("RevocationNotInForce", 5, "a broker that does not run", { [PROBES]: "0x9", [RUNNING]: "0x9" }),
  isQuiet("RevocationNotInForce", 5, "probes that end as they must", { [PROBES]: "0x9", [RUNNING]: "1x9" }),
  fires("LogsNotArriving", 30, "no line in ten minutes", { ...LOKI_UP, [LINES]: "500x40" }),
  fires("LogsNotArriving", 30, "no line ever", LOKI_UP),
  isQuiet("LogsNotArriving", 30, "lines", { ...LOKI_UP, [LINES]: "0+5x40" }),
];
