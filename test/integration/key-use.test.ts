import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readKeyUse } from "../../services/collector/key-use.ts";
import { createStore, type Store } from "../../services/collector/store.ts";
import type { StoreRow } from "../../services/collector/store-types.ts";
import { DatabaseHarness } from "./database/harness.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.now();
const database = new DatabaseHarness();
let store: Store;

beforeAll(async () => {
  database.configure({ jobsIntervalSeconds: 3600 });
  await database.start();
  await database.migrate();
  store = createStore({ ...database.target("collector"), quarantineMaxBytes: 1_000 });
});
afterAll(async () => {
  await store.close();
  await database.close();
});
beforeEach(async () => {
  const owner = await database.connect("trustkern");
  await owner.query("TRUNCATE telemetry, envelope_raw, envelope_seen, sensor_boot, device");
});

const idOf = (sensor: number): string => sensor.toString(16).padStart(18, "0");
const [old, fresh] = ["11".repeat(8), "22".repeat(8)];

/** A message of a sensor that its gateway hands over so many hours before now. */
function message(sensor: number, seq: number, keyId: string, hoursAgo = 0, gateway = "gw-01"): StoreRow {
  const sensorId = idOf(sensor);
  const bytes = Buffer.from(`${sensorId}/${seq}`);
  const payload = Buffer.from('{"fw":"1.2.3"}');
  return {
    message: { gateway, sensorId, bytes, receivedAtMs: NOW_MS - hoursAgo * HOUR_MS },
    digest: createHash("sha256").update(bytes).digest(),
    fields: { bootId: 1, seq, timestamp: NOW_MS, flags: 2, keyId: Buffer.from(keyId, "hex"), payload },
    allowlistVersion: 1,
  };
}
const stored = (...rows: StoreRow[]) => store.storeBatch(rows, [], { nowMs: NOW_MS, events: [] });
const device = (sensor: number, revoked: boolean) => ({
  sensorId: idOf(sensor),
  maker: "acme",
  publicKey: null,
  revoked,
});
const used = async () =>
  (await readKeyUse(database.target("collector"))).map(({ sensor_id, key_id, gateway }) => [
    Number(`0x${sensor_id}`),
    key_id,
    gateway,
  ]);

describe("which key a sensor uses", () => {
  it("is that of its newest message, with who brought it and when it was heard", async () => {
    await stored(message(1, 1, old, 30), message(1, 2, fresh, 1, "gw-02"), message(2, 1, old, 2));
    expect(await used()).toEqual([
      [1, fresh, "gw-02"],
      [2, old, "gw-01"],
    ]);
    const [first] = await readKeyUse(database.target("collector"));
    expect(first?.last_seen).toBe(new Date(NOW_MS).toISOString());
  });

  it("is not that of an older message which a gateway held back", async () => {
    await stored(message(1, 200, fresh, 2));
    await stored(message(1, 3, old, 1, "gw-02"));
    expect(await used()).toEqual([[1, fresh, "gw-01"]]);
  });

  it("is unknown for a sensor that was never heard, and nobody's business once it is revoked", async () => {
    await store.saveDevices([device(1, false), device(2, true)]);
    expect(await readKeyUse(database.target("collector"))).toEqual([
      { sensor_id: idOf(1), key_id: null, gateway: null, last_seen: null },
    ]);
  });

  it("answers for 500 sensors over four days of messages", async () => {
    const rows = Array.from({ length: 500 }, (_, sensor) => message(sensor + 1, 1, old, sensor % 72));
    await stored(...rows);
    const started = performance.now();
    expect(await used()).toHaveLength(500);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
