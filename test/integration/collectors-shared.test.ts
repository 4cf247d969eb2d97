import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "./broker/harness.ts";
import { type Load, startLoad } from "./collectors/load.ts";
import { CollectorsSite } from "./collectors/site.ts";

const SENSORS = 20;
const PER_SECOND = 10;
const COLLECTORS = [0, 1, 2];
/** How long a collector reads nothing before it is killed: what it was sent meanwhile is lost with it. */
const DEAF_MS = 1500;
const site = new CollectorsSite(SENSORS);
let database: pg.Client;
let load: Load;

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")(
  "Three collectors on one subscription, at 200 messages a second",
  () => {
    beforeAll(async () => {
      await site.start(COLLECTORS.length);
      database = await site.database.connect("reader");
      load = startLoad(site.sensors, site, PER_SECOND);
    });
    afterAll(async () => {
      await load?.stop();
      await site.stop();
    });

    const stored = async (): Promise<readonly string[]> => {
      const { rows } = await database.query<{ digest: string }>(
        "SELECT encode(digest, 'hex') AS digest FROM envelope_seen",
      );
      return rows.map(({ digest }) => digest);
    };
    const accepted = () =>
      Promise.all(COLLECTORS.map(async (number) => (await site.collector(number)).counters.accepted));

    it("each take a share", async () => {
      const before = await accepted();
      await delay(3000);
      const shares = (await accepted()).map((count, number) => count - (before[number] ?? 0));
      const all = shares.reduce((sum, share) => sum + share, 0);
      expect(all).toBeGreaterThan(100);
      for (const share of shares) expect(share).toBeGreaterThan(all / 10);
    });

    it("lose nothing when one is killed with what it was sent: the gateway sends it again", async () => {
      await site.signal(0, "SIGSTOP");
      await delay(DEAF_MS);
      const acknowledged = [...load.acknowledged];
      await site.signal(0, "SIGKILL");
      const there = new Set(await stored());
      const lost = acknowledged.filter((digest) => !there.has(digest));
      expect(lost.length).toBeGreaterThan(((DEAF_MS / 1000) * SENSORS * PER_SECOND) / COLLECTORS.length / 2);
      await until(async () => new Set(lost).isSubsetOf(new Set(await stored())), 20_000);
      await site.startCollector(0);
    });

    it("go on while each is restarted in turn", async () => {
      for (const number of COLLECTORS) {
        await site.signal(number, "SIGTERM");
        await site.startCollector(number);
        const { accepted: before } = (await site.collector(number)).counters;
        await until(async () => (await site.collector(number)).counters.accepted > before, 10_000);
      }
    });

    it("take a renewed certificate while they work", async () => {
      const serial = await site.renew();
      for (const number of COLLECTORS) {
        await until(async () => (await site.collector(number)).tls.serial === serial, 20_000);
        const { accepted: before } = (await site.collector(number)).counters;
        await until(async () => (await site.collector(number)).counters.accepted > before, 10_000);
        expect((await site.collector(number)).ready).toBe(true);
      }
    });

    it("have stored every acknowledged message exactly once, and sent a receipt for each", async () => {
      await load.stop();
      await until(async () => (await site.spooled()) === 0, 30_000);
      const digests = await stored();
      expect(digests.toSorted()).toEqual([...load.acknowledged].toSorted());
      expect(digests.length).toBeGreaterThan(1000);
      const { rows } = await database.query<{ rows: number; messages: number }>(
        "SELECT count(*)::int AS rows, count(DISTINCT (sensor_id, boot_id, seq))::int AS messages FROM telemetry",
      );
      expect(rows).toEqual([{ rows: digests.length, messages: digests.length }]);
      const { rows: refused } = await database.query("SELECT verdict FROM quarantine");
      expect(refused).toEqual([]);
    });
  },
);
