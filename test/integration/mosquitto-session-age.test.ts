import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAuthority } from "../../certs/authority.ts";
import { issueGatewayLeaf } from "../../certs/classes/leaf-gateway.ts";
import { next, until } from "./broker/harness.ts";
import { MosquittoHarness } from "./mosquitto/harness.ts";

const SECONDS = 3;
const UP = `tk/v1/gw-01/up/${"0a".repeat(16)}`;
const broker = new MosquittoHarness();
broker.sessionSeconds = SECONDS;

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")("Sessions of Mosquitto that get old", () => {
  beforeAll(() => broker.start());
  afterAll(() => broker.stop());

  test("end, and who has a valid certificate is back at once", async () => {
    const from = performance.now();
    const client = await broker.connected("gw-01");
    await next(client, "close");
    const seconds = (performance.now() - from) / 1000;
    expect(seconds).toBeGreaterThan(0.9 * SECONDS - 0.1);
    expect(seconds).toBeLessThan(SECONDS + 2);
    expect(await broker.event("session-too-old")).toMatchObject({ kind: "SESSION_ENDED", object: "gw-01" });
    expect(await broker.attempt("gw-01")).toBe("accepted");
    expect((await broker.guard()).counters).toMatchObject({ sessionsTooOld: 1, restarts: 1 });
  });

  test("end for good where the certificate has ended meanwhile", async () => {
    const { cert, key } = broker.pair("authority");
    const issuer = await loadAuthority({ certPem: cert, keyPem: key });
    const now = new Date(Date.now() - 598_500);
    broker.keep("short", await issueGatewayLeaf(issuer, { name: "gw-02", now, lifetimeSeconds: 600 }));
    const client = await broker.connected("short");
    await delay(1600);
    // What Mosquitto does by itself: nothing.
    expect(client.connected).toBe(true);
    await next(client, "close");
    expect(await broker.attempt("short")).toMatch(/CERTIFICATE_EXPIRED/);
  });

  test("lose no message of QoS 1, whichever side of it they end on", async () => {
    const again = { reconnectPeriod: 50 } as const;
    const received = new Set<string>();
    const subscriber = await broker.connected("svc-collector", { ...again, clientId: "svc-collector", clean: false });
    subscriber.on("message", (_, payload) => received.add(payload.toString()));
    await subscriber.subscribeAsync("tk/v1/+/up/+", { qos: 1 });
    const publisher = await broker.connected("gw-01", again);
    const ends = { publisher: 0, subscriber: 0 };
    publisher.on("close", () => (ends.publisher += 1));
    subscriber.on("close", () => (ends.subscriber += 1));
    const sent: string[] = [];
    for (let number = 0; number < 500; number += 1) {
      sent.push(String(number));
      publisher.publish(UP, String(number), { qos: 1 });
      await delay(20);
    }
    await until(async () => sent.every((each) => received.has(each)), 20_000);
    expect(ends.publisher).toBeGreaterThan(1);
    expect(ends.subscriber).toBeGreaterThan(1);
    expect((await broker.guard()).counters.restarts).toBe(1);
  });
});
