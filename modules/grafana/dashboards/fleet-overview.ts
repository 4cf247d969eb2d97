import {
  GraphDrawStyle,
  LogsSortOrder,
  StackingConfigBuilder,
  StackingMode,
} from "@grafana/grafana-foundation-sdk/common";
import { DashboardBuilder, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as LogsBuilder } from "@grafana/grafana-foundation-sdk/logs";
import { DATASOURCES } from "../datasources.ts";
import {
  column,
  DASHBOARD_UIDS,
  described,
  linkTo,
  type PanelText,
  stat,
  stateTimeline,
  table,
  timeseries,
  words,
} from "./panels.ts";
import { logql, promql, promqlNow, sql } from "./queries.ts";

const SILENT_MINUTES = 15;
const SENSOR_LINK = {
  title: "Sensor detail",
  url: `/d/${DASHBOARD_UIDS.sensor}?var-sensor=\${__value.raw}&\${__url_time_range}`,
};
const METRICS = { datasource: DATASOURCES.metrics } as const;
const READY = words({ 0: { text: "not ready", color: "red" }, 1: { text: "ready", color: "green" } });
const FIRING = words({ 1: { text: "firing", color: "red" } });

const small = (text: Omit<PanelText, "width" | "height">): PanelText => ({ width: 4, height: 4, ...text });

const sensorsHeard = stat(
  small({
    title: "Sensors heard, and allowed",
    description: "Sensors with an accepted message in this time, and sensors that the allowlist allows now.",
    empty: "none yet",
    queries: [
      sql(
        "table",
        `SELECT (SELECT count(DISTINCT sensor_id) FROM telemetry_1m WHERE $__timeFilter(bucket)) AS "heard",
          (SELECT count(*) FROM device WHERE state = 'allowed') AS "allowed"`,
      ),
    ],
  }),
);

const sensorsSilent = stat(
  small({
    title: "Allowed sensors, silent",
    description: `Allowed sensors without an accepted message in the last ${SILENT_MINUTES} minutes, those never heard among them.`,
    empty: "0",
    queries: [
      sql(
        "table",
        `SELECT count(*) AS "silent" FROM device
        WHERE state = 'allowed' AND (last_seen IS NULL OR last_seen < now() - INTERVAL '${SILENT_MINUTES} minutes')`,
      ),
    ],
  }),
  { steps: ["green", [1, "orange"], [10, "red"]] },
);

const storedNow = stat(
  small({
    title: "Stored now",
    description: "Messages that the collectors accepted each second, mean of the last scrapes.",
    empty: "no data",
    ...METRICS,
    queries: [promqlNow("sum(rate(trustkern_collector_messages_accepted_total[$__rate_interval]))", "accepted")],
  }),
  { unit: "suffix: /s" },
).decimals(1);

const rejected = stat(
  small({
    title: "Rejected",
    description:
      "Envelopes that the collectors refused in this time, without duplicates, which a gateway that lost a receipt sends.",
    empty: "no data",
    ...METRICS,
    queries: [
      promqlNow(
        'sum(increase(trustkern_collector_messages_rejected_total{verdict!="duplicate"}[$__range]))',
        "rejected",
      ),
    ],
  }),
  { steps: ["green", [1, "orange"], [100, "red"]] },
).decimals(0);

const alerts = stat(
  small({
    title: "Alerts firing",
    description: "Alerts of Prometheus that fire now.",
    empty: "no data",
    ...METRICS,
    queries: [promqlNow('count(ALERTS{alertstate="firing"}) or vector(0)', "firing")],
  }),
  { steps: ["green", [1, "red"]] },
);

const expiry = stat(
  small({
    title: "Next certificate expires in",
    description:
      "The earliest end of a certificate of our services, those that gateways show to the broker among them.",
    empty: "no data",
    ...METRICS,
    queries: [
      promqlNow('min({__name__=~"trustkern_(gateway_)?certificate_not_after_timestamp_seconds"}) - time()', "left"),
    ],
  }),
  { unit: "s", steps: ["red", [86_400, "orange"], [604_800, "green"]] },
);

const stored = timeseries(
  {
    title: "Messages stored",
    description: "Accepted messages each second, and those of them that came late. From the database.",
    empty: "No message in this time",
    width: 12,
    height: 8,
    queries: [
      sql(
        "time_series",
        `SELECT $__timeGroupAlias(bucket, '$__interval'), (sum(messages) * 1000.0 / $__interval_ms)::float8 AS "stored",
          (sum(late) * 1000.0 / $__interval_ms)::float8 AS "late"
        FROM telemetry_1m WHERE $__timeFilter(bucket) GROUP BY 1 ORDER BY 1`,
      ),
    ],
  },
  "suffix: /s",
)
  .interval("1m")
  .min(0)
  .overrideByName("late", [{ id: "color", value: { mode: "fixed", fixedColor: "orange" } }]);

const rejectedByVerdict = timeseries(
  {
    title: "Messages rejected and dropped, by verdict",
    description:
      "Envelopes each second that the collectors refused, and those that they dropped without a verdict and that come again. A bad signature or a replay is an attack or a broken gateway.",
    empty: "Nothing rejected in this time",
    width: 12,
    height: 8,
    ...METRICS,
    queries: [
      promql(
        "sum by (verdict) (rate(trustkern_collector_messages_rejected_total[$__rate_interval])) > 0",
        "{{verdict}}",
        "A",
      ),
      promql(
        "sum by (reason) (rate(trustkern_collector_messages_dropped_total[$__rate_interval])) > 0",
        "dropped: {{reason}}",
        "B",
      ),
    ],
  },
  "suffix: /s",
)
  .min(0)
  .drawStyle(GraphDrawStyle.Bars)
  .fillOpacity(60)
  .stacking(new StackingConfigBuilder().mode(StackingMode.Normal));

// The same aggregate three times is computed once.
const DELAY_QUANTILES = `percentile_cont(ARRAY[0.5, 0.95, 0.99])
  WITHIN GROUP (ORDER BY (extract(epoch FROM received_at) * 1000 - sent_at_ms)::float8)`;

const delay = timeseries(
  {
    title: "Delay of ingest, last 30 minutes",
    description:
      "From the sensor's clock to the collector, whatever time is chosen above. Includes the time in a gateway's spool; late messages and those of sensors whose clock is not set are left out.",
    empty: "No message in the last 30 minutes",
    width: 8,
    height: 8,
    queries: [
      sql(
        "time_series",
        `SELECT $__timeGroupAlias(received_at, '$__interval'),
          (${DELAY_QUANTILES})[1] AS "median", (${DELAY_QUANTILES})[2] AS "95 %", (${DELAY_QUANTILES})[3] AS "99 %"
        FROM telemetry WHERE $__timeFilter(received_at) AND sent_at_ms > 0 AND NOT late GROUP BY 1 ORDER BY 1`,
      ),
    ],
  },
  "ms",
)
  .interval("1m")
  .timeFrom("30m")
  .hideTimeOverride(true);

const spool = timeseries(
  {
    title: "Waiting in the gateways",
    description:
      "Messages in each gateway's spool: accepted from sensors, and without a receipt of a collector yet. It grows while the way to the collector is cut.",
    empty: "No gateway is measured",
    width: 8,
    height: 8,
    ...METRICS,
    queries: [promql("sum by (component) (trustkern_gateway_spool_messages)", "{{component}}")],
  },
  "short",
).min(0);

const queue = timeseries(
  {
    title: "Waiting in the collectors",
    description: "waiting: for a worker. held: until the batch is stored. parked: for a newer allowlist.",
    empty: "No collector is measured",
    width: 8,
    height: 8,
    ...METRICS,
    queries: ["waiting", "held", "parked"].map((name, index) =>
      promql(`sum(trustkern_collector_messages_${name})`, name, "ABC"[index]),
    ),
  },
  "short",
).min(0);

const readiness = stateTimeline({
  title: "Readiness",
  description: "Whether each component, and what it depends on, was ready. What cannot be asked is not ready.",
  empty: "No component is measured",
  width: 12,
  height: 9,
  ...METRICS,
  queries: [
    promql("min by (component) (trustkern_ready or up)", "{{component}}", "A"),
    promql("min by (component, dependency) (trustkern_dependency_up)", "{{component}} → {{dependency}}", "B"),
  ],
}).mappings([READY]);

const firing = stateTimeline({
  title: "Alerts",
  description: "Alerts of Prometheus, while they fired.",
  empty: "No alert fired in this time",
  width: 12,
  height: 9,
  ...METRICS,
  queries: [promql('max by (alertname, component) (ALERTS{alertstate="firing"})', "{{alertname}} {{component}}")],
}).mappings([FIRING]);

const lastSeen = table({
  title: "Sensors, the longest silent first",
  description:
    "Allowed sensors first, at most 1000. Messages, late, battery and signal are of the chosen time. A sensor's id opens its page.",
  empty: "No sensor is registered",
  width: 24,
  height: 11,
  queries: [
    sql(
      "table",
      `SELECT encode(d.sensor_id, 'hex') AS "sensor", d.state, d.firmware, d.last_seen AS "last seen",
        greatest(extract(epoch FROM now() - d.last_seen), 0)::float8 AS "silent for", coalesce(t.messages, 0) AS "messages",
        coalesce(t.late, 0) AS "late", t.battery, t.signal
      FROM device d LEFT JOIN (
        SELECT sensor_id, sum(messages)::float8 AS messages, sum(late)::float8 AS late,
          min(battery_mv_min)::float8 AS battery, avg(thread_rssi_dbm)::float8 AS signal
        FROM telemetry_1m WHERE $__timeFilter(bucket) GROUP BY sensor_id
      ) t USING (sensor_id)
      ORDER BY (d.state = 'allowed') DESC, d.last_seen NULLS FIRST LIMIT 1000`,
    ),
  ],
})
  .overrideByName("sensor", column({ width: 180, link: SENSOR_LINK }))
  .overrideByName("silent for", column({ unit: "s", steps: ["green", [SILENT_MINUTES * 60, "orange"], [3600, "red"]] }))
  .overrideByName("battery", column({ unit: "mvolt", steps: ["red", [2500, "orange"], [2800, "green"]] }))
  .overrideByName("signal", column({ unit: "dBm", steps: ["red", [-90, "orange"], [-80, "green"]] }));

const quarantine = table({
  title: "Quarantine",
  description:
    "Different envelopes that were refused in this time and are kept for analysis, oldest first out when the space is full.",
  empty: "Nothing in quarantine for this time",
  width: 9,
  height: 9,
  queries: [
    sql(
      "table",
      `SELECT verdict, gateway, count(*) AS "envelopes", count(DISTINCT sensor_id) AS "sensors", max(received_at) AS "last"
      FROM quarantine WHERE $__timeFilter(received_at) GROUP BY verdict, gateway ORDER BY count(*) DESC LIMIT 100`,
    ),
  ],
});

const securityEvents = table({
  title: "Security events",
  description:
    "The newest 200 of this time that the collectors stored. Those of other components are in the log below.",
  empty: "No security event in this time",
  width: 15,
  height: 9,
  queries: [
    sql(
      "table",
      `SELECT time, kind, actor, object, reason, count, source_address AS "from"
      FROM security_event WHERE $__timeFilter(time) ORDER BY time DESC LIMIT 200`,
    ),
  ],
})
  .overrideByName("time", column({ width: 175 }))
  .overrideByName("count", column({ width: 80 }));

const logs = described(new LogsBuilder(), {
  title: "Warnings and security events",
  description:
    "Of our services: lines of level warn and above, and security events. Of the others: lines that speak of a warning or an error.",
  empty: "No warning in this time",
  width: 24,
  height: 12,
  datasource: DATASOURCES.logs,
  queries: [
    // A line that is not JSON, or whose level is a word, gets an error from the filter and passes it, so errors are sorted out last.
    logql('{component=~".+"} | json level="level", kind="event.kind" | level >= 40 or kind != "" | __error__=""', "A"),
    logql('{component=~".+"} !~ `^\\{"level":[0-9]` |~ `(?i)\\b(warn|warning|error|fatal|panic|critical)\\b`', "B"),
  ],
})
  .showTime(true)
  .wrapLogMessage(true)
  .prettifyLogMessage(false)
  .enableLogDetails(true)
  .sortOrder(LogsSortOrder.Descending);

/** How the whole fleet does: is everything heard, stored in time, and is anything refused. */
export function fleetOverview(): DashboardBuilder {
  const rows = {
    "": [
      sensorsHeard,
      sensorsSilent,
      storedNow,
      rejected,
      alerts,
      expiry,
      stored,
      rejectedByVerdict,
      delay,
      spool,
      queue,
    ],
    "Is it ready?": [readiness, firing],
    Sensors: [lastSeen],
    "What was refused": [quarantine, securityEvents, logs],
  };
  const dashboard = new DashboardBuilder("Fleet overview")
    .uid(DASHBOARD_UIDS.fleet)
    .description("How the whole fleet does: which sensors are heard, what is stored and how fast, and what is refused.")
    .tags(["trustkern"])
    .readonly()
    .timezone("browser")
    .time({ from: "now-6h", to: "now" })
    .refresh("1m")
    .link(linkTo("Sensor detail", DASHBOARD_UIDS.sensor));
  for (const [title, panels] of Object.entries(rows)) {
    if (title) dashboard.withRow(new RowBuilder(title));
    for (const panel of panels) dashboard.withPanel(panel);
  }
  return dashboard;
}
