import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crlsIn } from "../../services/runtime/broker-trust/issuers.ts";
import { next, until } from "./broker/harness.ts";
import { MosquittoHarness } from "./mosquitto/harness.ts";

/** Long enough for Mosquitto to end a session whose client id comes again. */
const AWHILE_MS = 1000;
const broker = new MosquittoHarness();
broker.engine = "kubernetes";

const there = () => ({ port: broker.servicesPort });
async function connected(options: object): Promise<MqttClient> {
  const client = broker.client("svc-collector", options);
  await next(client, "connect");
  return client;
}
const listsIn = (file: string) => crlsIn(readFileSync(broker.at(`state/${file}`), "utf8")).toSorted();

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")("The port of Mosquitto for services alone", () => {
  beforeAll(() => broker.start());
  afterAll(() => broker.stop());

  test("lets one identity have several connections, which the other port does not", async () => {
    const usual = [await connected({ clientId: "a" }), await connected({ clientId: "b" })];
    await until(async () => !usual[0]?.connected);
    expect(usual.map((client) => client.connected)).toEqual([false, true]);
    const several = [
      await connected({ ...there(), clientId: "c" }),
      await connected({ ...there(), clientId: "d" }),
      await connected({ ...there(), clientId: "e" }),
    ];
    await delay(AWHILE_MS);
    expect(several.map((client) => client.connected)).toEqual([true, true, true]);
    for (const client of [...usual, ...several]) client.end(true);
  });

  test.each([
    "gw-01",
    "gw-02",
    "op-admin",
    "ended",
    "forged-services",
    "forged-gateways",
    "foreign-svc-collector",
    "foreign-gw-01",
    "svc-probe-revoked",
  ])("refuses %s", async (name) => {
    expect(await broker.attempt(name, there())).not.toBe("accepted");
  });

  test.each(["svc-collector", "svc-backend"])("accepts %s", async (name) => {
    expect(await broker.attempt(name, there())).toBe("accepted");
  });

  test("has a file of lists without those of gateways and operators", () => {
    const { root = "", services = "" } = Object.fromEntries(broker.feed.crls);
    expect(listsIn("crl-services.pem")).toEqual([root, services].flatMap(crlsIn).toSorted());
    expect(listsIn("crl.pem")).toHaveLength(4);
  });

  test.each([
    ["torn", (whole: string) => whole.slice(0, 300)],
    ["empty", () => ""],
    ["that with every list", () => readFileSync(broker.at("state/crl.pem"), "utf8")],
  ])("gets its file again when it is %s", async (_, spoil) => {
    const file = broker.at("state/crl-services.pem");
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, spoil(whole));
    await until(async () => readFileSync(file, "utf8") === whole, 30_000);
    await broker.nextLook();
    expect(await broker.attempt("svc-probe-revoked", there())).toMatch(/CERTIFICATE_REVOKED/);
    expect(await broker.attempt("gw-01", there())).not.toBe("accepted");
    expect(await broker.attempt("svc-collector", there())).toBe("accepted");
  });

  test("refuses a service that is revoked, on both ports, and ends all of its sessions", async () => {
    const sessions = [
      await connected({ ...there(), clientId: "f" }),
      await connected({ ...there(), clientId: "g" }),
      await connected({}),
    ];
    const serial = broker.serial("svc-collector");
    broker.feed.ended.push({ seq: 1, name: "svc-collector", reason: "certificate-revoked", serial });
    await broker.feed.revoke("services", serial);
    await until(async () => sessions.every((client) => !client.connected), 60_000);
    await broker.inForce("services");
    expect(await broker.attempt("svc-collector")).toMatch(/CERTIFICATE_REVOKED/);
    expect(await broker.attempt("svc-collector", there())).toMatch(/CERTIFICATE_REVOKED/);
    expect(await broker.attempt("svc-backend", there())).toBe("accepted");
  });
});
