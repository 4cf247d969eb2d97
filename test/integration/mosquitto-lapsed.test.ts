import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "./broker/harness.ts";
import { MosquittoHarness } from "./mosquitto/harness.ts";

const LIFETIME_MS = 7 * 86_400_000;
const SECONDS_LEFT = 4;
const broker = new MosquittoHarness();
const { feed } = broker;

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")("Mosquitto while the services' list has ended", () => {
  const ended = async () => (await broker.guard()).reason === "BROKER_CRL_REFUSED";
  const inForce = async () => (await broker.guard()).crl.issuers.map(({ issuer }) => issuer).toSorted();

  beforeAll(async () => {
    await broker.start();
    await feed.publish("services", new Date(Date.now() - LIFETIME_MS + SECONDS_LEFT * 1000));
    await broker.inForce("services");
    await until(ended, 30_000);
  });
  afterAll(() => broker.stop());

  test("runs with the lists of the others, accepts whom they do not revoke, and no service", async () => {
    expect(await inForce()).toEqual(["TrustKern gateways", "TrustKern operators", "TrustKern root"]);
    expect(await broker.attempt("gw-01")).toBe("accepted");
    expect(await broker.attempt("svc-collector")).not.toBe("accepted");
    expect(await broker.guard()).toMatchObject({ ready: false, counters: { probeFailures: 0, restarts: 1 } });
  });

  test("refuses a gateway that is revoked meanwhile, and ends its session", async () => {
    const serial = await broker.newGateway("meanwhile");
    const victim = await broker.connected("meanwhile");
    feed.ended.push({ seq: 1, name: "gw-01", reason: "certificate-revoked", serial });
    await feed.revoke("gateways", serial);
    await until(async () => !victim.connected);
    await until(async () => (await broker.attempt("meanwhile")) === "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_REVOKED");
    await until(async () => (await broker.attempt("gw-01")) === "accepted");
    expect(await broker.event("certificate-revoked")).toMatchObject({ kind: "SESSION_ENDED", object: "gw-01" });
    expect(await broker.attempt("svc-collector")).not.toBe("accepted");
  });

  test("is not started by a guard that starts, until there is a list", async () => {
    await broker.kill("SIGTERM");
    await broker.run();
    await until(ended);
    await broker.nextLook();
    expect(await broker.attempt("gw-01")).toBe("ECONNREFUSED");
    await feed.publish("services");
    await broker.inForce("services");
    expect(await broker.attempt("svc-collector")).toBe("accepted");
    expect(await broker.attempt("gw-01")).toBe("accepted");
    expect(await broker.attempt("meanwhile")).toMatch(/CERTIFICATE_REVOKED/);
  });
});
