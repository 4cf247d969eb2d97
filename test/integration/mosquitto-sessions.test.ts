import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "./broker/harness.ts";
import { MosquittoHarness } from "./mosquitto/harness.ts";

const REVOKED = /CERTIFICATE_REVOKED/;
/** MQTT 3.1.1, section 3.1: client id "late", a clean session, and 60 s between two signs of life. */
const CONNECT = Buffer.from("101000044d5154540402003c00046c617465", "hex");
const broker = new MosquittoHarness();
const { feed } = broker;

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")("Sessions of Mosquitto behind its guard", () => {
  beforeAll(() => broker.start());
  afterAll(() => broker.stop());

  test("refuses a revoked certificate and ends its session within 60 s, and nobody else's", async () => {
    const serial = await broker.newGateway("first");
    const victim = await broker.connected("first");
    const other = await broker.connected("gw-02");
    const from = performance.now();
    feed.ended.push({ seq: 1, name: "gw-01", reason: "certificate-revoked", serial });
    await feed.revoke("gateways", serial);
    await until(async () => !victim.connected);
    const seconds = (performance.now() - from) / 1000;
    expect(await broker.attempt("first")).toMatch(REVOKED);
    expect(seconds).toBeLessThan(60);
    expect(other.connected).toBe(true);
    expect(await broker.attempt("gw-01")).toBe("accepted");
    expect(await broker.event("certificate-revoked")).toMatchObject({ kind: "SESSION_ENDED", object: "gw-01" });
    await other.endAsync();
  });

  test("ends the session of a gateway whose token was revoked, which may connect again", async () => {
    const victim = await broker.connected("gw-01");
    feed.ended.push({ seq: 2, name: "gw-01", reason: "token-revoked" });
    await until(async () => !victim.connected);
    expect(await broker.attempt("gw-01")).toBe("accepted");
    await delay(1000);
    const again = await broker.connected("gw-01");
    await delay(1000);
    expect(again.connected).toBe(true);
    await again.endAsync();
  });

  test("ends all sessions of a class where a list revokes a certificate that nobody names", async () => {
    const serial = await broker.newGateway("unnamed");
    const victim = await broker.connected("unnamed");
    const collector = await broker.connected("svc-collector");
    await feed.revoke("gateways", serial);
    await until(async () => !victim.connected);
    expect(await broker.attempt("unnamed")).toMatch(REVOKED);
    expect(collector.connected).toBe(true);
    await collector.endAsync();
  });

  test("ends the session of a client that showed its certificate before it was revoked, and connects after", async () => {
    const serial = await broker.newGateway("late");
    const socket = await broker.raw("late");
    // Mosquitto has taken the connection when it has answered another that came later.
    expect(await broker.attempt("gw-02")).toBe("accepted");
    feed.ended.push({ seq: 3, name: "gw-01", reason: "certificate-revoked", serial });
    await feed.revoke("gateways", serial);
    await broker.inForce("gateways");
    await delay(1000);
    socket.resume().write(CONNECT);
    // Long before Mosquitto itself would miss a sign of life, which it does after 90 s.
    await once(socket, "close", { signal: AbortSignal.timeout(10_000) });
    expect(await broker.attempt("late")).toMatch(REVOKED);
  });

  test("ends sessions under the guard's own name beside others, and goes on", async () => {
    const others = await Promise.all(["svc-broker", "gw-01"].map((name) => broker.connected(name)));
    const bystander = await broker.connected("gw-02");
    const { restarts } = (await broker.guard()).counters;
    for (const name of ["svc-broker", "gw-01"])
      feed.ended.push({ seq: feed.ended.length + 1, name, reason: "superseded" });
    await until(async () => others.every(({ connected }) => !connected));
    await broker.nextLook();
    await broker.ready();
    expect(broker.ended).toBe(false);
    expect((await broker.guard()).counters.restarts).toBe(restarts);
    expect(bystander.connected).toBe(true);
    expect(await broker.attempt("svc-broker")).toBe("accepted");
    await bystander.endAsync();
  });
});
