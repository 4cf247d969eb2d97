import { createHash } from "node:crypto";
import fc from "fast-check";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { decideOrder, type SensorOrder } from "../../protocol/collector-order.ts";
import { createStore, type Store } from "../../services/collector/store.ts";
import type { RejectRow, StoreRow } from "../../services/collector/store-types.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { DatabaseHarness } from "./database/harness.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.now();
const database = new DatabaseHarness();
let owner: pg.Client;
let store: Store;

/** The job that prunes the index below the floor goes by the clock of the machine, these tests by their own. */
const NO_JOBS = { jobsIntervalSeconds: 3600 };

beforeAll(async () => {
  database.configure(NO_JOBS);
  await database.start();
  await database.migrate();
  owner = await database.connect("trustkern");
});
afterAll(() => database.close());
beforeEach(async () => {
  await owner.query("TRUNCATE telemetry, envelope_raw, envelope_seen, sensor_boot, device, quarantine, security_event");
  await owner.query("UPDATE store_total SET accepted = 0, quarantined = 0, quarantine_bytes = 0");
  store = open();
});
afterEach(() => store.close());

function open(quarantineMaxBytes = 1_000_000): Store {
  return createStore({ ...database.target("collector"), quarantineMaxBytes });
}

interface RowInput {
  readonly sensor?: number;
  readonly boot?: number;
  readonly seq?: number;
  /** Tells two envelopes of the same number apart. */
  readonly salt?: number;
  readonly payload?: string;
}

const PAYLOAD = '{"fw":"1.2.3","temperature_c":21.5,"extra":{"kept":1.10}}';

function row({ sensor = 1, boot = 1, seq = 1, salt = 0, payload = PAYLOAD }: RowInput = {}): StoreRow {
  const sensorId = sensor.toString(16).padStart(18, "0");
  const bytes = Buffer.from(`${sensorId}/${boot}/${seq}/${salt}`);
  return {
    message: { gateway: "gw-01", sensorId, bytes, receivedAtMs: NOW_MS },
    digest: createHash("sha256").update(bytes).digest(),
    fields: {
      bootId: boot,
      seq,
      timestamp: NOW_MS - 5,
      flags: 2,
      keyId: Buffer.alloc(8, 7),
      payload: Buffer.from(payload),
    },
    allowlistVersion: 4,
  };
}

function reject(verdict: RejectRow["verdict"], size: number, number: number): RejectRow {
  const bytes = Buffer.alloc(size, number);
  const message = { gateway: "gw-02", sensorId: "00".repeat(9), bytes, receivedAtMs: NOW_MS };
  return { message, digest: createHash("sha256").update(bytes).digest(), verdict };
}

async function verdicts(rows: readonly StoreRow[], nowMs = NOW_MS, to = store): Promise<string[]> {
  const results = await to.storeBatch(rows, [], { nowMs, events: [] });
  return results.map((result) => (result.verdict === "accepted" && result.late ? "late" : result.verdict));
}

async function rowsOf(sql: string): Promise<unknown[]> {
  return (await owner.query({ text: sql, rowMode: "array" })).rows.map((values) => values.join());
}

describe("an accepted row", () => {
  it("is there with its payload, its typed columns, its bytes and its provenance", async () => {
    const payload =
      '{"fw":"1.2.3-rc.1","temperature_c":-7.25,"humidity_pct":0,"pressure_hpa":1013.2,"gas_ohm":1e6,"aqi":4.2e1,"battery_mv":3000,' +
      '"thread":{"rssi_dbm":-61,"lqi":255,"parent":"0x4c00"},"motion":[1,-2,9007199254740991],' +
      '"ota":{"campaign":"c","state":"done","version":"2.0.0"},"own":[1,{"a":"ü"}]}';
    expect(await verdicts([row({ payload })])).toEqual(["accepted"]);
    const { rows } = await owner.query("SELECT * FROM telemetry");
    expect(rows).toMatchObject([
      {
        sensor_id: Buffer.from("000000000000000001", "hex"),
        ...{ boot_id: "1", seq: "1", sent_at_ms: String(NOW_MS - 5), flags: 2, late: false, gateway: "gw-01" },
        ...{ key_id: Buffer.alloc(8, 7), received_at: new Date(NOW_MS), payload: JSON.parse(payload) },
        ...{ fw: "1.2.3-rc.1", temperature_c: -7.25, humidity_pct: 0, pressure_hpa: 1013.2, gas_ohm: 1e6, aqi: 42 },
        ...{ battery_mv: 3000, thread_rssi_dbm: -61, thread_lqi: 255, thread_parent: "0x4c00" },
        ...{ motion_x: 1, motion_y: -2, motion_z: 9_007_199_254_740_991 },
        ...{ ota_campaign: "c", ota_state: "done", ota_version: "2.0.0", ota_reason: null },
      },
    ]);
    const found = await rowsOf(
      `SELECT convert_from(bytes, 'UTF8'), allowlist_version FROM envelope_seen
       JOIN envelope_raw USING (sensor_id, boot_id, seq, received_at)`,
    );
    expect(found).toEqual(["000000000000000001/1/1/0,4"]);
    expect(await store.totals()).toEqual({ accepted: 1, quarantined: 0, quarantineBytes: 0 });
  });

  it("leaves NULL what the sensor did not measure", async () => {
    await verdicts([row({ payload: '{"fw":"1.0.0"}' })]);
    const { rows } = await owner.query("SELECT * FROM telemetry");
    expect(rows[0]).toMatchObject({
      temperature_c: null,
      aqi: null,
      thread_parent: null,
      motion_x: null,
      ota_state: null,
    });
  });

  it("moves its device on, but to older firmware only when the message is the newest", async () => {
    const sensorId = "000000000000000001";
    const publicKey = Buffer.alloc(65, 4);
    await store.saveDevices([{ sensorId, maker: "acme", publicKey, revoked: false }]);
    const device = "SELECT maker, state, firmware, last_seen IS NOT NULL FROM device";
    expect(await rowsOf(device)).toEqual(["acme,allowed,,false"]);
    await verdicts([row({ boot: 2, seq: 5, payload: '{"fw":"2.0.0"}' })]);
    expect(await rowsOf(device)).toEqual(["acme,reporting,2.0.0,true"]);
    await verdicts([
      row({ boot: 1, seq: 9, payload: '{"fw":"1.0.0"}' }),
      row({ boot: 2, seq: 4, payload: '{"fw":"1.0.0"}' }),
    ]);
    expect(await rowsOf(device)).toEqual(["acme,reporting,2.0.0,true"]);
    await store.saveDevices([{ sensorId, maker: "acme", publicKey, revoked: true }]);
    expect(await rowsOf(device)).toEqual(["acme,revoked,2.0.0,true"]);
  });
});

describe("order", () => {
  it("tells a repeat from another message of the same number, stored or in the same batch", async () => {
    expect(await verdicts([row(), row(), row({ salt: 1 })])).toEqual(["accepted", "duplicate", "replay"]);
    expect(await verdicts([row(), row({ salt: 1 }), row({ seq: 2 })])).toEqual(["duplicate", "replay", "accepted"]);
    expect(await rowsOf("SELECT seq FROM telemetry ORDER BY seq")).toEqual(["1", "2"]);
    expect(await rowsOf("SELECT verdict, count(*) FROM quarantine GROUP BY 1")).toEqual(["replay,1"]);
  });

  it("marks what is more than 63 behind, or of an earlier boot, as late", async () => {
    expect(await verdicts([row({ seq: 100 }), row({ seq: 37 }), row({ seq: 36 })])).toEqual([
      "accepted",
      "accepted",
      "late",
    ]);
    expect(await verdicts([row({ seq: 35 }), row({ boot: 2 }), row({ seq: 101 })])).toEqual([
      "late",
      "accepted",
      "late",
    ]);
    expect(await rowsOf("SELECT count(*) FROM telemetry WHERE late")).toEqual(["3"]);
  });

  it("takes nothing unseen below the floor, which is 30 days old by the collector's clock", async () => {
    await verdicts([row({ boot: 5 }), row({ boot: 7 })], NOW_MS - 30 * DAY_MS);
    await verdicts([row({ boot: 9 })], NOW_MS - 29 * DAY_MS);
    expect(await verdicts([row({ boot: 6 })], NOW_MS - 1)).toEqual(["late"]);
    expect(await verdicts([row({ boot: 6, seq: 2 }), row({ boot: 5 }), row({ boot: 5, salt: 1 })])).toEqual([
      "replay",
      "duplicate",
      "replay",
    ]);
    expect(await verdicts([row({ boot: 7, seq: 2 }), row({ boot: 8 })])).toEqual(["late", "late"]);
  });

  it("costs no more for a sensor that has booted 150,000 times in 30 days", async () => {
    const looping = row({ sensor: 7 }).message.sensorId;
    await owner.query(
      `INSERT INTO sensor_boot (sensor_id, boot_id, first_seen_at, greatest_seq)
       SELECT decode($1, 'hex'), boot, now() - (150000 - boot) * INTERVAL '10 seconds', 1 FROM generate_series(1, 150000) AS boot`,
      [looping],
    );
    await owner.query("ANALYZE sensor_boot");
    const cpu: Record<number, number> = { 7: 0, 8: 0 };
    for (let n = 0; n < 40; n++) {
      for (const sensor of [7, 8]) {
        const started = performance.now();
        const [result] = await store.storeBatch([row({ sensor, boot: 150_001 + n })], [], {
          nowMs: NOW_MS,
          events: [],
        });
        cpu[sensor] = (cpu[sensor] ?? 0) + performance.now() - started;
        expect(result).toEqual({ verdict: "accepted", late: false });
      }
    }
    expect((cpu[7] ?? 0) / (cpu[8] ?? 0)).toBeLessThan(3);
  });

  it("is that of the reference, batch by batch, for any messages", async () => {
    const message = fc.record({
      sensor: fc.integer({ min: 1, max: 2 }),
      boot: fc.integer({ min: 0, max: 4 }),
      seq: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 60, max: 70 })),
      salt: fc.integer({ min: 0, max: 1 }),
    });
    const batch = fc.record({ messages: fc.array(message, { maxLength: 12 }), days: fc.integer({ min: 0, max: 20 }) });
    let run = 0;
    const property = fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async (batches) => {
      run += 1;
      let nowMs = NOW_MS - 200 * DAY_MS;
      const reference = new Map<string, SensorOrder>();
      for (const { messages, days } of batches) {
        nowMs += days * DAY_MS;
        const rows = messages.map((input) => row({ ...input, sensor: input.sensor + run * 10 }));
        const expected = rows.map(({ message: { sensorId }, fields, digest }) => {
          const ordered = { bootId: fields.bootId, seq: fields.seq, digest: digest.toString(), nowMs };
          const { verdict, late, next } = decideOrder(reference.get(sensorId), ordered);
          reference.set(sensorId, next);
          return late ? "late" : verdict;
        });
        expect(await verdicts(rows, nowMs)).toEqual(expected);
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it("is agreed upon by two collectors that store the same at once", async () => {
    const other = open();
    const rows = Array.from({ length: 300 }, (_, index) => row({ sensor: index % 7, seq: index }));
    const both = await Promise.all([verdicts(rows), verdicts(rows.toReversed(), NOW_MS, other)]);
    await other.close();
    const accepted = both.flat().filter((verdict) => verdict === "accepted" || verdict === "late");
    expect(accepted).toHaveLength(300);
    expect(both.flat().filter((verdict) => verdict === "duplicate")).toHaveLength(300);
    expect(await rowsOf("SELECT count(*), (SELECT count(*) FROM envelope_raw) FROM telemetry")).toEqual(["300,300"]);
  });
});

describe("a row that the database refuses", () => {
  const bad = (seq: number): StoreRow => row({ seq, payload: '{"fw":"1.0.0","x":1e400000}' });

  it("is quarantined alone as bad-payload and takes no place in the index", async () => {
    expect(await verdicts([row(), bad(2), row({ seq: 3 }), bad(4)])).toEqual([
      "accepted",
      "bad-payload",
      "accepted",
      "bad-payload",
    ]);
    expect(await rowsOf("SELECT verdict, count(*) FROM quarantine GROUP BY 1")).toEqual(["bad-payload,2"]);
    expect(await verdicts([row({ seq: 2 })])).toEqual(["accepted"]);
  });

  it("is found where only the tables refuse it", async () => {
    await owner.query("ALTER TABLE telemetry ADD CONSTRAINT cool CHECK (temperature_c < 50)");
    const rows = Array.from({ length: 9 }, (_, seq) =>
      row({ seq, payload: `{"fw":"1.0.0","temperature_c":${seq === 6 ? 60 : 1}}` }),
    );
    const events = [event("one")];
    const results = await store.storeBatch(rows, [reject("malformed", 3, 1)], { nowMs: NOW_MS, events });
    await owner.query("ALTER TABLE telemetry DROP CONSTRAINT cool");
    expect(results.map(({ verdict }) => verdict).indexOf("bad-payload")).toBe(6);
    expect(results.filter(({ verdict }) => verdict === "accepted")).toHaveLength(8);
    expect(await rowsOf("SELECT count(*) FROM quarantine")).toEqual(["2"]);
    expect(await rowsOf("SELECT count(*) FROM security_event")).toEqual(["1"]);
  });
});

function event(reason: string): SecurityEvent {
  const who = { tenant: "acme", actor: "gw-01", sourceAddress: null, object: "sensor" };
  return {
    kind: "INGEST_REJECTED",
    time: new Date(NOW_MS).toISOString(),
    ...who,
    reason,
    count: 3,
    correlationId: "ab",
  };
}

describe("quarantine", () => {
  const held = () => rowsOf("SELECT get_byte(bytes, 0), size FROM quarantine ORDER BY id");
  const put = (to: Store, ...rejects: RejectRow[]) => to.storeBatch([], rejects, { nowMs: NOW_MS, events: [] });

  it("takes each digest once, with verdict and gateway", async () => {
    await put(store, reject("bad-signature", 10, 1), reject("bad-signature", 10, 1));
    await put(store, reject("unknown-key", 10, 1));
    expect(await rowsOf("SELECT verdict, gateway, size FROM quarantine")).toEqual(["bad-signature,gw-02,10"]);
    expect(await store.totals()).toMatchObject({ quarantined: 1, quarantineBytes: 10 });
  });

  it("holds no more than its bytes: the oldest go first, and no more of them than must", async () => {
    const small = open(100);
    await put(small, reject("malformed", 40, 1), reject("malformed", 40, 2));
    await put(small, reject("malformed", 30, 3));
    expect(await held()).toEqual(["2,40", "3,30"]);
    await put(small, reject("malformed", 200, 4));
    expect(await held()).toEqual([]);
    await put(small, reject("malformed", 100, 5));
    expect(await held()).toEqual(["5,100"]);
    expect(await small.totals()).toEqual({ accepted: 0, quarantined: 5, quarantineBytes: 100 });
    await small.close();
  });
});

describe("security events", () => {
  it("keep to a number of rows, the newest", async () => {
    for (let n = 0; n < 5; n++) {
      await owner.query(
        "INSERT INTO security_event SELECT now() - $1 * INTERVAL '1 minute', 'AUTH_FAILED', 't', 'a', NULL, $2, 'r', 1, NULL",
        [n, String(n)],
      );
    }
    await owner.query(`CALL prune_security_events(0, '{"max_rows": 2}')`);
    const { rows } = await owner.query("SELECT object FROM security_event ORDER BY object");
    expect(rows).toEqual([{ object: "0" }, { object: "1" }]);
  });

  it("are kept with every field, whatever characters an attacker put in", async () => {
    await store.storeBatch([], [], { nowMs: NOW_MS, events: [event("a\0b"), event("bad-signature")] });
    expect(
      await rowsOf(
        "SELECT kind, tenant, actor, object, reason, count, correlation_id FROM security_event ORDER BY reason",
      ),
    ).toEqual([
      "INGEST_REJECTED,acme,gw-01,sensor,a\ufffdb,3,ab",
      "INGEST_REJECTED,acme,gw-01,sensor,bad-signature,3,ab",
    ]);
  });
});

describe("a fault", () => {
  it("gives no verdict and leaves nothing, and the same batch goes through later", async () => {
    await verdicts([row()]);
    expect(store.ready()).toBe(true);
    await database.stop("SIGKILL");
    const rows = [row({ seq: 2 }), row({ seq: 3 })];
    await expect(verdicts(rows)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(store.ready()).toBe(false);
    // The same port, as a supervisor would start it again.
    database.configure({ ...NO_JOBS, listen: { hosts: ["127.0.0.1"], port: database.port } });
    await database.start();
    owner = await database.connect("trustkern");
    expect(await verdicts(rows)).toEqual(["accepted", "accepted"]);
    expect(store.ready()).toBe(true);
  });

  it("is what a wrong password and a missing table are", async () => {
    const wrong = createStore({ ...database.target("collector"), password: "wrong", quarantineMaxBytes: 1 });
    await expect(verdicts([row()], NOW_MS, wrong)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await owner.query("ALTER TABLE envelope_raw RENAME TO gone");
    await expect(verdicts([row({ seq: 50 })])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await owner.query("ALTER TABLE gone RENAME TO envelope_raw");
    expect(await rowsOf("SELECT count(*) FROM telemetry WHERE seq = 50")).toEqual(["0"]);
    expect(await verdicts([row({ seq: 50 })])).toEqual(["accepted"]);
  });
});
