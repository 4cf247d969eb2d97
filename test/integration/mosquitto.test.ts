import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ACCESS, mayPublish, mayReceive } from "../../protocol/topics.ts";
import { next, until } from "./broker/harness.ts";
import { MosquittoHarness } from "./mosquitto/harness.ts";

const SENSOR = "0123456789abcdef01";
const UP = `tk/v1/gw-01/up/${SENSOR}`;
/** Certificates, and the name that the table knows each of them by. */
const CLIENTS = {
  "gw-01": "gw-01",
  "gw-02": "gw-02",
  "svc-collector": "svc-collector",
  "svc-backend": "svc-backend",
  "svc-broker": "svc-broker",
  "svc-database": "svc-database",
  "op-admin": "op-admin",
  // Made by the gateways' authority: the common name of a service in the unit of gateways.
  "forged-gateways": "nobody",
} as const;
const mosquitto = new MosquittoHarness();

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")("Mosquitto, with what is rendered for it", () => {
  beforeAll(() => mosquitto.start());
  afterAll(() => mosquitto.stop());

  /** Payloads by topic that each client got, though it asked for everything. */
  async function listenAll(): Promise<ReadonlyMap<string, { readonly client: MqttClient; readonly got: string[] }>> {
    const all = new Map<string, { client: MqttClient; got: string[] }>();
    for (const name of Object.keys(CLIENTS)) {
      const client = await mosquitto.connected(name);
      const got: string[] = [];
      client.on("message", (topic, payload) => got.push(`${payload} ${topic}`));
      await client.subscribeAsync(["#", "$SYS/#"], { qos: 1 });
      all.set(name, { client, got });
    }
    return all;
  }

  /** All have everything that was sent before. */
  async function settle(all: Awaited<ReturnType<typeof listenAll>>): Promise<void> {
    const send = (name: string, topic: string) => all.get(name)?.client.publishAsync(topic, "mark", { qos: 1 });
    await send("gw-01", "tk/v1/gw-01/status");
    await send("svc-backend", "tk/v1/gw-01/trust");
    await send("svc-backend", "tk/v1/gw-02/trust");
    const has = (name: string) => all.get(name)?.got.some((each) => each.startsWith("mark "));
    await until(async () => ["gw-01", "gw-02", "svc-collector", "svc-backend"].every(has));
  }

  test("carries exactly what the access table allows, from and to every certificate", { timeout: 20_000 }, async () => {
    const all = await listenAll();
    const topics = ["gw-01", "gw-02", "gw-nobody", "svc-collector"].flatMap((gateway) => [
      ...ACCESS.map(({ topic, perSensor }) => `tk/v1/${gateway}/${topic}${perSensor ? `/${SENSOR}` : ""}`),
      `tk/v1/${gateway}/up`,
      `tk/v1/${gateway}/up/${SENSOR}/more`,
      `tk/v1/${gateway}/status/more`,
      `tk/v1/${gateway}`,
      `tk/v2/${gateway}/status`,
    ]);
    const expected = new Set<string>();
    for (const [publisher, { client }] of all) {
      for (const topic of [...topics, "$SYS/broker/version", "other"]) {
        await client.publishAsync(topic, publisher, { qos: 1 });
        for (const receiver of all.keys())
          if (mayPublish(nameOf(publisher), topic) && mayReceive(nameOf(receiver), topic))
            expected.add(`${publisher} > ${receiver} ${topic}`);
      }
    }
    await settle(all);
    const carried = [...all].flatMap(([receiver, { got }]) =>
      got.filter((each) => !/^mark |\$SYS/.test(each)).map((each) => each.replace(" ", ` > ${receiver} `)),
    );
    expect(carried.toSorted()).toEqual([...expected].toSorted());
    expect(expected.size).toBeGreaterThan(ACCESS.length * 2);
    for (const { client } of all.values()) await client.endAsync();
  });

  test("shows nobody anything of $SYS, and takes commands from nobody but itself", async () => {
    const all = await listenAll();
    const gateway = all.get("gw-02")?.client;
    const username = "CN=gw-02,OU=gateways,O=acme";
    const commands = ["createClient", "deleteClient"].map((command) => ({ command, username }));
    for (const [name, { client }] of all)
      if (name !== "svc-broker")
        await client.publishAsync("$CONTROL/dynamic-security/v1", JSON.stringify({ commands }), { qos: 1 });
    await settle(all);
    expect(gateway?.connected).toBe(true);
    expect([...all.values()].flatMap(({ got }) => got.filter((each) => each.includes("$")))).toEqual([]);
    await all.get("svc-broker")?.client.publishAsync("$CONTROL/dynamic-security/v1", JSON.stringify({ commands }));
    await until(async () => gateway?.connected === false);
    for (const { client } of all.values()) await client.endAsync();
  });

  test("publishes no will on a foreign topic, and one on its own", async () => {
    const collector = await mosquitto.connected("svc-collector");
    const got: string[] = [];
    collector.on("message", (topic, payload) => got.push(`${topic} ${payload}`));
    await collector.subscribeAsync("tk/v1/+/status", { qos: 1 });
    for (const topic of ["tk/v1/gw-02/status", "tk/v1/gw-01/status"]) {
      const will = { topic, payload: Buffer.from("gone"), qos: 1, retain: false } as const;
      const gateway = mosquitto.client("gw-01", { will });
      await Promise.race([next(gateway, "connect"), next(gateway, "close")]);
      gateway.stream.destroy();
    }
    await until(async () => got.includes("tk/v1/gw-01/status gone"));
    expect(got).not.toContain("tk/v1/gw-02/status gone");
    await collector.endAsync();
  });

  test.each([
    ["no certificate", null],
    ["a certificate of a foreign authority with the same names", "foreign-gw-01"],
    ["a gateway's certificate that has ended", "ended"],
    ["a service's certificate of the gateways' authority", "forged-services"],
  ])("refuses %s", async (_, name) => {
    const client = mosquitto.client(name);
    let connected = false;
    client.on("connect", () => {
      connected = true;
    });
    await next(client, "close");
    expect(connected).toBe(false);
  });

  test("refuses TLS 1.2, and a client that trusts another root refuses it", async () => {
    const old = connectTls({ ...mosquitto.tls("gw-01"), maxVersion: "TLSv1.2" });
    const [error] = await once(old, "error");
    expect(error.code).toMatch(/PROTOCOL_VERSION/);
    const { ca: _, ...others } = mosquitto.tls("gw-01");
    const [untrusted] = await once(connectTls(others), "error");
    expect(untrusted.code).toMatch(/SELF_SIGNED|UNABLE_TO/);
  });

  test("resumes no session: who comes again shows its certificate again", async () => {
    const socket = connectTls(mosquitto.tls("gw-01"));
    const offered: Buffer[] = [];
    socket.on("session", (session: Buffer) => offered.push(session)).on("error", () => undefined);
    await once(socket, "secureConnect");
    // An answer to what is no MQTT comes behind whatever the handshake ends with.
    socket.resume().write(Buffer.alloc(64, 0xff));
    await once(socket, "close");
    expect(offered).toEqual([]);
  });

  test("gives an identity one session, and nobody another's", async () => {
    const victim = await mosquitto.connected("gw-01", { clientId: "same" });
    const intruder = await mosquitto.connected("gw-02", { clientId: "same" });
    await intruder.publishAsync("tk/v1/gw-02/status", "here", { qos: 1 });
    await victim.publishAsync("tk/v1/gw-01/status", "here", { qos: 1 });
    expect(victim.connected).toBe(true);
    const second = await mosquitto.connected("gw-01", { clientId: "another" });
    await until(async () => !victim.connected);
    await Promise.all([intruder, second].map((client) => client.endAsync()));
  });

  test("ends a client that publishes with QoS 2, or a packet over 4 MiB", async () => {
    const first = await mosquitto.connected("gw-01");
    first.publish(UP, "twice", { qos: 2 });
    await next(first, "close");
    const second = await mosquitto.connected("gw-01");
    second.publish(UP, Buffer.alloc(4 * 1_048_576 + 1), { qos: 1 });
    await next(second, "close");
  });

  test("has what is retained after a stop, and works after a kill", async () => {
    const backend = await mosquitto.connected("svc-backend");
    await backend.publishAsync("tk/v1/gw-01/trust", "allowlist", { qos: 1, retain: true });
    await backend.endAsync();
    await mosquitto.restart("SIGTERM");
    await mosquitto.restart("SIGKILL");
    const gateway = mosquitto.client("gw-01");
    const message = new Promise<string>((resolve) => gateway.once("message", (_, payload) => resolve(String(payload))));
    await next(gateway, "connect");
    await gateway.subscribeAsync("tk/v1/gw-01/trust", { qos: 1 });
    expect(await message).toBe("allowlist");
    await gateway.endAsync();
  });
});

function nameOf(certificate: string): string {
  return CLIENTS[certificate as keyof typeof CLIENTS];
}
