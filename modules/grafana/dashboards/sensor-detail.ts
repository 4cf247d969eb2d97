import {
  DashboardBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DATASOURCES } from "../datasources.ts";
import {
  column,
  DASHBOARD_UIDS,
  linkTo,
  type PanelText,
  stat,
  stateTimeline,
  table,
  timeseries,
  words,
} from "./panels.ts";
import { sql } from "./queries.ts";

const OF_SENSOR = `sensor_id = decode(\${sensor:sqlstring}, 'hex')`;
const IN_RANGE = `$__timeFilter(received_at) AND ${OF_SENSOR}`;
const NOTHING = "No message of this sensor in this time";

/** One payload member, or more with one unit, averaged over time. */
interface Measure {
  readonly title: string;
  readonly unit: string;
  readonly description: string;
  /** SQL aggregates by the name of their series. */
  readonly series: Readonly<Record<string, string>>;
}

const MEASURES: readonly Measure[] = [
  {
    title: "Temperature",
    unit: "celsius",
    description: "Mean of each interval, between its least and its greatest value.",
    series: { mean: "avg(temperature_c)", least: "min(temperature_c)", greatest: "max(temperature_c)" },
  },
  {
    title: "Relative humidity",
    unit: "humidity",
    description: "Mean of each interval.",
    series: { humidity: "avg(humidity_pct)" },
  },
  {
    title: "Air pressure",
    unit: "pressurehpa",
    description: "Mean of each interval.",
    series: { pressure: "avg(pressure_hpa)" },
  },
  {
    title: "Gas resistance",
    unit: "ohm",
    description: "Mean of each interval. It falls when the air gets worse.",
    series: { gas: "avg(gas_ohm)" },
  },
  {
    title: "Air quality index",
    unit: "short",
    description:
      "Greatest value of each interval, 0 to 500. From 100 on the air is unhealthy for some, from 150 on for everybody.",
    series: { aqi: "max(aqi)" },
  },
  {
    title: "Battery",
    unit: "mvolt",
    description: "Least value of each interval: the one under load.",
    series: { battery: "min(battery_mv)" },
  },
  {
    title: "Thread signal",
    unit: "dBm",
    description: "Mean strength of the parent's signal at the sensor. Below -90 dBm messages get lost.",
    series: { rssi: "avg(thread_rssi_dbm)" },
  },
  {
    title: "Thread link quality",
    unit: "short",
    description: "Mean of each interval, 0 to 255.",
    series: { lqi: "avg(thread_lqi)" },
  },
  {
    title: "Acceleration",
    unit: "suffix: mg",
    description: "Mean of each interval by axis, in thousandths of the standard gravity.",
    series: { x: "avg(motion_x)", y: "avg(motion_y)", z: "avg(motion_z)" },
  },
];

function measure({ title, unit, description, series }: Measure) {
  const columns = Object.entries(series).map(([name, aggregate]) => `${aggregate}::float8 AS "${name}"`);
  const query = `
    SELECT $__timeGroupAlias(received_at, '$__interval'), ${columns.join(", ")}
    FROM telemetry WHERE ${IN_RANGE}
    GROUP BY 1 ORDER BY 1`;
  const panel = timeseries(
    { title, description, empty: NOTHING, width: 8, height: 7, queries: [sql("time_series", query)] },
    unit,
  );
  panel.interval("10s").spanNulls(3_600_000);
  for (const [name, to] of [["greatest", "least"]] as const) {
    if (name in series)
      panel.overrideByName(name, [
        { id: "custom.fillBelowTo", value: to },
        { id: "custom.lineWidth", value: 0 },
      ]);
  }
  return panel;
}

const ofDevice = (select: string) => sql("table", `SELECT ${select} FROM device WHERE ${OF_SENSOR}`);
const small = (text: Pick<PanelText, "title" | "description" | "queries"> & { empty?: string }): PanelText => ({
  empty: "unknown",
  width: 4,
  height: 4,
  ...text,
});

/** Everything that is known of one sensor. */
export function sensorDetail(): DashboardBuilder {
  const dashboard = new DashboardBuilder("Sensor detail")
    .uid(DASHBOARD_UIDS.sensor)
    .description(
      "Everything that is known of one sensor: what it measured, how it is reached, and which messages are missing or late.",
    )
    .tags(["trustkern"])
    .readonly()
    .timezone("browser")
    .time({ from: "now-24h", to: "now" })
    .refresh("1m")
    .link(linkTo("Fleet overview", DASHBOARD_UIDS.fleet))
    .withVariable(
      new QueryVariableBuilder("sensor")
        .label("Sensor")
        .description("Id of the sensor in hex; the one that was heard last comes first.")
        .datasource(DATASOURCES.database)
        .query(
          `SELECT encode(sensor_id, 'hex') AS "__text", encode(sensor_id, 'hex') AS "__value" FROM device ORDER BY last_seen DESC NULLS LAST LIMIT 5000`,
        )
        .refresh(VariableRefresh.OnDashboardLoad),
    )
    .withPanel(
      stat(
        small({
          title: "Silent for",
          description: "Time since its last accepted message.",
          queries: [ofDevice(`greatest(extract(epoch FROM now() - last_seen), 0)::float8 AS "silent for"`)],
          empty: "never heard",
        }),
        { unit: "s", steps: ["green", [900, "orange"], [3600, "red"]] },
      ),
    )
    .withPanel(
      stat(
        small({
          title: "Allowlist",
          description:
            "allowed: its messages are accepted. reporting: it may still report that it is off. revoked: its messages are refused.",
          queries: [ofDevice("state")],
        }),
        { column: "state" },
      ).mappings([
        words({
          allowed: { text: "allowed", color: "green" },
          reporting: { text: "reporting", color: "orange" },
          revoked: { text: "revoked", color: "red" },
        }),
      ]),
    )
    .withPanel(
      stat(
        small({
          title: "Firmware",
          description: "Version in its last accepted message.",
          queries: [ofDevice("firmware")],
        }),
        { column: "firmware" },
      ),
    )
    .withPanel(
      stat(
        small({
          title: "Battery",
          description: "Voltage in its last message of this time.",
          queries: [
            sql(
              "table",
              `SELECT last(battery_mv, received_at)::float8 AS battery FROM telemetry WHERE ${IN_RANGE} AND battery_mv IS NOT NULL`,
            ),
          ],
          empty: "not reported",
        }),
        { unit: "mvolt", steps: ["red", [2500, "orange"], [2800, "green"]] },
      ),
    )
    .withPanel(
      stat(
        small({
          title: "Messages",
          description: "Accepted and stored in this time.",
          queries: [sql("table", `SELECT count(*) AS messages FROM telemetry WHERE ${IN_RANGE}`)],
          empty: "0",
        }),
      ),
    )
    .withPanel(
      stat(
        small({
          title: "Restarts",
          description:
            "Boots after the first one that messages of this time come from. A sensor that restarts often has a fault.",
          queries: [
            sql(
              "table",
              `SELECT greatest(count(DISTINCT boot_id) - 1, 0) AS restarts FROM telemetry WHERE ${IN_RANGE}`,
            ),
          ],
          empty: "0",
        }),
        { steps: ["green", [1, "orange"], [5, "red"]] },
      ),
    )
    .withRow(new RowBuilder("What it measured"));
  for (const each of MEASURES) dashboard.withPanel(measure(each));
  return dashboard
    .withRow(new RowBuilder("How it is heard"))
    .withPanel(
      timeseries(
        {
          title: "Messages: stored, late, missing",
          description:
            "missing: numbers between two stored messages of one boot that are not stored, at the message after the gap. late: behind a greater boot, or more than 63 behind the greatest number.",
          empty: NOTHING,
          width: 12,
          height: 8,
          queries: [
            sql(
              "time_series",
              `WITH numbered AS (
                SELECT received_at, late, seq - lag(seq) OVER (PARTITION BY boot_id ORDER BY seq) - 1 AS missing
                FROM telemetry WHERE ${IN_RANGE}
              )
              SELECT $__timeGroupAlias(received_at, '$__interval'), count(*)::float8 AS "stored",
                (count(*) FILTER (WHERE late))::float8 AS "late", coalesce(sum(missing), 0)::float8 AS "missing"
              FROM numbered GROUP BY 1 ORDER BY 1`,
            ),
          ],
        },
        "short",
      )
        .interval("1m")
        .overrideByName("late", [{ id: "color", value: { mode: "fixed", fixedColor: "orange" } }])
        .overrideByName("missing", [{ id: "color", value: { mode: "fixed", fixedColor: "red" } }]),
    )
    .withPanel(
      timeseries(
        {
          title: "Delay",
          description:
            "From the sensor's clock to the collector, the slowest message of each interval. Includes the time in a gateway's spool. Messages of a sensor whose clock is not set are left out.",
          empty: NOTHING,
          width: 12,
          height: 8,
          queries: [
            sql(
              "time_series",
              `SELECT $__timeGroupAlias(received_at, '$__interval'),
                max(extract(epoch FROM received_at) * 1000 - sent_at_ms)::float8 AS "slowest"
              FROM telemetry WHERE ${IN_RANGE} AND sent_at_ms > 0 GROUP BY 1 ORDER BY 1`,
            ),
          ],
        },
        "ms",
      ).interval("1m"),
    )
    .withPanel(
      stateTimeline({
        title: "Boot, firmware, gateway, parent and update",
        description: "What the last message of each interval says.",
        empty: NOTHING,
        width: 24,
        height: 8,
        queries: [
          sql(
            "table",
            `SELECT $__timeGroupAlias(received_at, '$__interval'), last(boot_id, received_at)::text AS "boot",
              last(fw, received_at) AS "firmware", last(gateway, received_at) AS "gateway",
              last(thread_parent, received_at) AS "parent", last(ota_campaign || ' ' || ota_state, received_at) AS "update"
            FROM telemetry WHERE ${IN_RANGE} GROUP BY 1 ORDER BY 1`,
          ),
        ],
      }).interval("1m"),
    )
    .withRow(new RowBuilder("Messages"))
    .withPanel(
      table({
        title: "The last 500 messages",
        description: "As they were decrypted, with every member of the payload, known or not.",
        empty: NOTHING,
        width: 24,
        height: 12,
        queries: [
          sql(
            "table",
            `SELECT received_at AS "received", CASE WHEN sent_at_ms > 0 THEN to_timestamp(sent_at_ms / 1000.0) END AS "sent",
              boot_id AS "boot", seq AS "number", late, gateway, fw AS "firmware", encode(key_id, 'hex') AS "key id",
              payload::text AS "payload"
            FROM telemetry WHERE ${IN_RANGE} ORDER BY received_at DESC LIMIT 500`,
          ),
        ],
      })
        .overrideByName("received", column({ width: 175 }))
        .overrideByName("sent", column({ width: 175 }))
        .overrideByName("boot", column({ width: 80 }))
        .overrideByName("number", column({ width: 90 }))
        .overrideByName("late", column({ width: 70 }))
        .overrideByName("gateway", column({ width: 110 }))
        .overrideByName("firmware", column({ width: 100 }))
        .overrideByName("key id", column({ width: 150 })),
    );
}
