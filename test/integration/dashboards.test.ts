import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DATASOURCES } from "../../modules/grafana/datasources.ts";
import { expandSql, type QueryContext } from "./dashboards/macros.ts";
import { PANEL_QUERIES, type PanelQuery, runPanel, VARIABLE_QUERIES } from "./dashboards/panels.ts";
import { DatabaseHarness } from "./database/harness.ts";

const SENSOR = "0102030405060708ff";
const NOW = new Date();
const CONTEXT: QueryContext = {
  from: new Date(NOW.getTime() - 3_600_000),
  to: new Date(NOW.getTime() + 60_000),
  intervalMs: 60_000,
  variables: { sensor: SENSOR },
};
const SQL_QUERIES = PANEL_QUERIES.filter(({ target }) => target.datasource.uid === DATASOURCES.database.uid);
const database = new DatabaseHarness();
let owner: pg.Client;
let reader: pg.Client;

beforeAll(async () => {
  database.configure({ jobsIntervalSeconds: 3600 });
  await database.start();
  await database.migrate();
  owner = await database.connect("trustkern");
  // 40 messages, of which number 11 is missing and number 5 came late; the sensor started anew after number 30.
  await owner.query(
    `INSERT INTO telemetry (received_at, sensor_id, boot_id, seq, sent_at_ms, flags, late, gateway, key_id, payload, fw, temperature_c,
      humidity_pct, pressure_hpa, gas_ohm, aqi, battery_mv, thread_rssi_dbm, thread_lqi, thread_parent, motion_x, motion_y, motion_z,
      ota_campaign, ota_state, ota_version)
    SELECT at, decode($1, 'hex'), CASE WHEN n > 30 THEN 2 ELSE 1 END, n, (extract(epoch FROM at) * 1000)::bigint - 250, 0, n = 5, 'gw-01',
      '\\x0a0b', '{"fw":"1.2.3","co2_ppm":417}', '1.2.3', 20 + n, 50, 1013, 1e5, 25, 3000 - n, -70, 200, '0x4c00', 1, 2, 1000,
      'spring', 'idle', '1.2.3'
    FROM (SELECT n, now() - (41 - n) * INTERVAL '1 minute' AS at FROM generate_series(1, 40) AS n WHERE n <> 11) AS numbered`,
    [SENSOR],
  );
  await owner.query(
    `INSERT INTO device VALUES (decode($1, 'hex'), 'trustkern', '\\x00', 'allowed', '1.2.3', now() - INTERVAL '1 hour', now()),
      ('\\x02', 'trustkern', '\\x00', 'allowed', NULL, NULL, NULL), ('\\x03', 'trustkern', '\\x00', 'revoked', NULL, NULL, NULL)`,
    [SENSOR],
  );
  await owner.query(
    `INSERT INTO quarantine (received_at, verdict, gateway, sensor_id, digest, size, bytes)
    VALUES (now(), 'bad-signature', 'gw-01', '\\x02', '\\x01', 1, '\\x00')`,
  );
  await owner.query(
    `INSERT INTO security_event VALUES (now(), 'INGEST_REJECTED', 'demo', 'gw-01', '192.0.2.7', '02', 'bad-signature', 3, NULL)`,
  );
  reader = await database.connect("reader");
});
afterAll(() => database.close());

const named = (title: string): PanelQuery => SQL_QUERIES.find(({ panel }) => panel.title === title)!;
const rowsOf = async (title: string, context = CONTEXT) => (await runPanel(reader, named(title), context)).rows;

describe("as the role that only reads", () => {
  it.each(SQL_QUERIES.map((query) => [query.name, query] as const))(
    "%s gives what its panel shows",
    async (_, query) => {
      const { rows, faults } = await runPanel(reader, query, CONTEXT);
      expect(faults).toEqual([]);
      // One row at least has a value in every column.
      expect(rows.some((row) => !Object.values(row).includes(null))).toBe(true);
    },
  );

  it("has the sensor that was heard last as the first choice", async () => {
    const { rows } = await reader.query(expandSql(VARIABLE_QUERIES.get("sensor") ?? "", CONTEXT));
    expect(rows[0]).toEqual({ __text: SENSOR, __value: SENSOR });
    expect(rows).toHaveLength(3);
  });

  it.each([
    ["the sensor has none", { ...CONTEXT, variables: { sensor: "02" } }],
    ["there is no sensor at all", { ...CONTEXT, variables: { sensor: "" } }],
    ["the time has none", { ...CONTEXT, from: new Date(0), to: new Date(3_600_000) }],
  ])("every query runs where %s", async (_, context) => {
    for (const query of SQL_QUERIES) expect((await runPanel(reader, query, context)).faults).toEqual([]);
  });

  it.each(["INSERT INTO device SELECT * FROM device", "DELETE FROM telemetry", "DROP TABLE telemetry"])(
    "refuses %s",
    async (text) => {
      await expect(reader.query(text)).rejects.toMatchObject({ code: "42501" });
    },
  );
});

describe("the numbers are right", () => {
  const sum = (rows: readonly Record<string, unknown>[], name: string) =>
    rows.reduce((total, row) => total + Number(row[name]), 0);

  it("counts stored, late and missing messages of a sensor", async () => {
    const rows = await rowsOf("Messages: stored, late, missing");
    expect([sum(rows, "stored"), sum(rows, "late"), sum(rows, "missing")]).toEqual([39, 1, 1]);
  });

  it("counts restarts, and not the first boot", async () => {
    expect(await rowsOf("Restarts")).toEqual([{ restarts: "1" }]);
  });

  it("shows the rate of the fleet, whatever the interval", async () => {
    for (const intervalMs of [60_000, 300_000]) {
      const rows = await rowsOf("Messages stored", { ...CONTEXT, intervalMs });
      expect((sum(rows, "stored") * intervalMs) / 1000).toBeCloseTo(39);
    }
  });

  it("counts sensors heard, allowed and silent", async () => {
    expect(await rowsOf("Sensors heard, and allowed")).toEqual([{ heard: "1", allowed: "2" }]);
    expect(await rowsOf("Allowed sensors, silent")).toEqual([{ silent: "1" }]);
  });

  it("puts the allowed sensor that was never heard before all others, and revoked ones last", async () => {
    expect((await rowsOf("Sensors, the longest silent first")).map(({ sensor }) => sensor)).toEqual([
      "02",
      SENSOR,
      "03",
    ]);
  });

  it("measures the delay", async () => {
    const [row] = await rowsOf("Delay of ingest, last 30 minutes");
    expect(row?.median).toBeCloseTo(250, 0);
  });

  it("shows members of the payload that nobody knows", async () => {
    const [row] = await rowsOf("The last 500 messages");
    expect(JSON.parse(String(row?.payload))).toMatchObject({ co2_ppm: 417 });
  });
});

describe("a faulty query is found", () => {
  const broken = (title: string, change: (sql: string) => string): PanelQuery => {
    const { panel, target, name } = named(title);
    return { name, panel, target: { ...target, rawSql: change(target.rawSql ?? "") } };
  };
  const run = (query: PanelQuery, context = CONTEXT) => runPanel(reader, query, context);

  it("that names a column that is missing", async () => {
    const query = broken("Air pressure", (text) => text.replace("pressure_hpa", "pressure_bar"));
    await expect(run(query)).rejects.toMatchObject({ code: "42703" });
  });

  it("that names a table that readers may not read", async () => {
    await owner.query("CREATE TABLE hidden (state text)");
    const query = broken("Allowlist", () => "SELECT state FROM hidden");
    await expect(run(query)).rejects.toMatchObject({ code: "42501" });
  });

  it.each([
    [
      "no time",
      "Air pressure",
      (text: string) => text.replace("$__timeGroupAlias(received_at, '$__interval')", "received_at"),
      "no column time",
    ],
    [
      "words where numbers belong",
      "Air pressure",
      (text: string) => text.replace("::float8", "::text"),
      "pressure is no number",
    ],
    [
      "no column that the panel has a width for",
      "Security events",
      (text: string) => text.replace("count,", ""),
      "no column count",
    ],
    [
      "another name than its number is read from",
      "Firmware",
      (text: string) => text.replace("firmware", "firmware AS fw"),
      "nothing to show in fw",
    ],
    ["time in the wrong direction", "Air pressure", (text: string) => `${text} DESC`, "time does not ascend"],
  ])("that gives %s", async (_, title, change, fault) => {
    expect((await run(broken(title, change))).faults).toContain(fault);
  });

  it.each([
    "$__unixEpoch(received_at)",
    "$sensor",
    `\${sensor}`,
    `\${sensor:raw}`,
    `\${gateway:sqlstring}`,
    "$__timeGroup(x)",
  ])("that has %s, which Grafana would not send as it is meant", (text) => {
    expect(() => expandSql(`SELECT ${text}`, CONTEXT)).toThrow(/variable|macro|interval/);
  });

  it("and a sensor's id cannot break out of its quotes", async () => {
    const context = { ...CONTEXT, variables: { sensor: "' OR true --" } };
    await expect(run(named("Messages"), context)).rejects.toMatchObject({ code: "22023" });
  });
});
