import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BrokerHarness, next, until } from "./broker/harness.ts";

const SENSOR = "0123456789abcdef01";
const UP = `tk/v1/gw-01/up/${SENSOR}`;
const broker = new BrokerHarness();
const limits = {
  connections: 300,
  connectionsPerIdentity: 4,
  gatewayQueueBytes: 262_144,
  serviceQueueBytes: 1_048_576,
  connectSeconds: 2,
  eventWindowSeconds: 1,
};
beforeAll(() => broker.start(limits));
afterAll(() => broker.stop());

/** The topics and payloads that a client receives from now on. */
function received(client: MqttClient): [topic: string, payload: string][] {
  const messages: [string, string][] = [];
  client.on("message", (topic, payload) => messages.push([topic, payload.toString()]));
  return messages;
}

/** Messages that somebody publishes reach the collector only when this came through after them. */
async function settle(messages: readonly [string, string][]): Promise<void> {
  const gateway = await broker.connected("gw-01");
  const mark = randomBytes(8).toString("hex");
  // A broker whose queue to the collector is still full drops it.
  await until(async () => {
    await gateway.publishAsync(UP, mark, { qos: 1 });
    return messages.some(([, payload]) => payload === mark);
  }, 30_000);
  await gateway.endAsync();
}

describe("the door", () => {
  test("refuses TLS 1.2", async () => {
    const from = broker.events.length;
    const socket = connectTls({ ...broker.tls("gw-01"), maxVersion: "TLSv1.2" });
    const [error] = await once(socket, "error");
    expect(error.code).toMatch(/PROTOCOL_VERSION/);
    expect(await broker.event("tls-version", from)).toMatchObject({ kind: "AUTH_FAILED", tenant: "acme" });
  });

  test("opens while more strangers keep silent than it has connections", async () => {
    const from = broker.events.length;
    const silent = Array.from({ length: 400 }, () => connectTcp(broker.port, "127.0.0.1").on("error", () => undefined));
    await Promise.all(silent.map((socket) => once(socket, "connect")));
    const gateway = await broker.connected("gw-01");
    expect(await broker.event("handshakes", from)).toMatchObject({ kind: "RATE_LIMIT_EXCEEDED" });
    await gateway.endAsync();
    for (const socket of silent) socket.destroy();
  });

  test.each([
    ["no certificate", null, "no-certificate"],
    ["a certificate of a foreign authority with the same names", "foreign-gw-01", "wrong-ca"],
    ["an operator's certificate", "op-admin", "identity"],
    ["the certificate of a service that has no business here", "svc-database", "identity"],
    ["a gateway's certificate that has ended", "ended", "expired"],
    ["a service's certificate of the gateways' authority", "forged-services", "not-permitted"],
    ["a service's name in the gateways' unit", "forged-gateways", "identity"],
  ])("refuses %s", async (_, name, reason) => {
    const from = broker.events.length;
    const client = broker.client(name);
    let connected = false;
    client.on("connect", () => {
      connected = true;
    });
    await next(client, "close");
    expect(connected).toBe(false);
    expect(await broker.event(reason, from)).toMatchObject({ kind: "AUTH_FAILED", sourceAddress: "127.0.0.1" });
  });

  test("resumes no session: who comes again shows its certificate again", async () => {
    let session: Buffer | undefined;
    for (let round = 0; round < 3; round++) {
      const socket = connectTls({ ...broker.tls("gw-01"), ...(session && { session }) });
      socket
        .on("error", () => {})
        .on("session", (offered: Buffer) => {
          session = offered;
        });
      await once(socket, "secureConnect");
      expect(socket.isSessionReused()).toBe(false);
      // A session that is offered comes right behind the handshake; the broker ends who says nothing.
      await Promise.race([once(socket, "session"), once(socket.resume(), "close")]);
      socket.destroy();
    }
  });

  test("takes nothing for MQTT that comes before TLS", async () => {
    for (const bytes of [randomBytes(4096), Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.from([0x10, 0x80, 0, 0])]) {
      const socket = connectTcp(broker.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(bytes);
      await once(socket, "close");
    }
    const client = await broker.connected("gw-01");
    expect(client.connected).toBe(true);
    await client.endAsync();
  });

  test("ends a connection that says nothing, before TLS and after", async () => {
    const from = broker.events.length;
    const tcp = connectTcp(broker.port, "127.0.0.1");
    tcp.on("error", () => {});
    const silent = await broker.raw("gw-01");
    await Promise.all([once(tcp, "close"), once(silent, "close")]);
    await broker.event("handshake-timeout", from);
  });

  test("ends a connection that sends no MQTT after TLS", async () => {
    for (const bytes of [
      randomBytes(64),
      Buffer.alloc(64, 0xff),
      Buffer.from([0x30, 0x00]),
      Buffer.from([0xc0, 0x00]),
    ]) {
      const socket = await broker.raw("gw-01");
      socket.resume().write(bytes);
      await once(socket, "close");
    }
  });

  test("lets one identity open so many connections and no more", async () => {
    const from = broker.events.length;
    const clients = await Promise.all([1, 2, 3, 4].map(() => broker.connected("gw-02")));
    await next(broker.client("gw-02"), "close");
    expect(await broker.event("connections-of-identity", from)).toMatchObject({
      kind: "RATE_LIMIT_EXCEEDED",
      actor: "gw-02",
    });
    const other = await broker.connected("gw-01");
    await Promise.all([other, ...clients].map((client) => client.endAsync()));
    await until(async () => (await broker.status()).counters.connections === 0);
    await (await broker.connected("gw-02")).endAsync();
  });

  test.each([3, 5] as const)("refuses MQTT protocol level %d", async (protocolVersion) => {
    const options = protocolVersion === 3 ? { protocolId: "MQIsdp" as const } : {};
    const client = broker.client("gw-01", { protocolVersion, ...options });
    const [error] = await next(client, "error");
    expect((error as { code: number }).code).toBeGreaterThan(0);
  });

  test("refuses a client without a keep-alive", async () => {
    const client = broker.client("gw-01", { keepalive: 0 });
    await next(client, "error");
    expect(client.connected).toBe(false);
  });
});

describe("a gateway", () => {
  test("publishes under its own name, with a client id that is not its name, and the collector reads it", async () => {
    const collector = await broker.connected("svc-collector");
    const messages = received(collector);
    await collector.subscribeAsync("tk/v1/+/up/+", { qos: 1 });
    const gateway = await broker.connected("gw-01", { clientId: "mosq-random" });
    await gateway.publishAsync(UP, "hello", { qos: 1 });
    await until(async () => messages.length > 0);
    expect(messages).toEqual([[UP, "hello"]]);
    await Promise.all([gateway.endAsync(), collector.endAsync()]);
  });

  test.each([
    ["in another's topic", `tk/v1/gw-02/up/${SENSOR}`, 1, false],
    ["a receipt", "tk/v1/gw-01/receipt", 1, false],
    ["its own trust", "tk/v1/gw-01/trust", 1, true],
    ["a retained envelope", UP, 1, true],
    ["with QoS 2", UP, 2, false],
    ["in $SYS", "$SYS/broker/x", 1, false],
    ["a topic of a hundred levels", `${UP}${"/x".repeat(100)}`, 0, false],
  ] as const)("that publishes %s is disconnected, and nobody reads it", async (_, topic, qos, retain) => {
    const collector = await broker.connected("svc-collector");
    const messages = received(collector);
    await collector.subscribeAsync(["tk/v1/+/up/+", "tk/v1/+/status"], { qos: 1 });
    const gateway = await broker.connected("gw-01");
    gateway.publish(topic, "forbidden", { qos, retain });
    await next(gateway, "close");
    await settle(messages);
    expect(messages.map(([, payload]) => payload)).not.toContain("forbidden");
    await collector.endAsync();
  });

  test.each(["#", "+/#", "tk/#", "tk/v1/+/up/+", "tk/v1/gw-02/trust", "tk/v1/+/trust", "$SYS/#", "tk/v1/gw-01/#"])(
    "that subscribes to %s is granted nothing",
    async (filter) => {
      const gateway = await broker.connected("gw-01");
      const from = (await broker.status()).counters.subscriptionsDenied!;
      await expect(gateway.subscribeAsync(filter, { qos: 1 })).rejects.toThrow();
      expect((await broker.status()).counters.subscriptionsDenied).toBe(from + 1);
      await gateway.endAsync();
    },
  );

  test("reads its own retained trust, and no other gateway's", async () => {
    const backend = await broker.connected("svc-backend");
    for (const name of ["gw-01", "gw-02"]) {
      await backend.publishAsync(`tk/v1/${name}/trust`, `for ${name}`, { qos: 1, retain: true });
    }
    const gateway = await broker.connected("gw-02");
    const messages = received(gateway);
    await gateway.subscribeAsync(["tk/v1/gw-02/trust", "tk/v1/gw-02/receipt", "tk/v1/gw-02/cmd/+"], { qos: 1 });
    await expect(gateway.subscribeAsync("tk/v1/gw-01/trust", { qos: 1 })).rejects.toThrow();
    await backend.publishAsync("tk/v1/gw-01/trust", "newer for gw-01", { qos: 1, retain: true });
    await backend.publishAsync("tk/v1/gw-02/trust", "newer for gw-02", { qos: 1, retain: true });
    await until(async () => messages.length === 2);
    expect(messages.map(([, payload]) => payload)).toEqual(["for gw-02", "newer for gw-02"]);
    await Promise.all([gateway.endAsync(), backend.endAsync()]);
  });

  test("takes no other identity's session over, and inherits nothing from it", async () => {
    const victim = await broker.connected("gw-01", { clientId: "gw-01", clean: false });
    await victim.subscribeAsync("tk/v1/gw-01/receipt", { qos: 1 });
    const messages = received(victim);
    const intruder = broker.client("gw-02", { clientId: "gw-01", clean: false });
    const stolen = received(intruder);
    const [connack] = await next(intruder, "connect");
    expect(connack).toMatchObject({ sessionPresent: false });
    const collector = await broker.connected("svc-collector");
    await collector.publishAsync("tk/v1/gw-01/receipt", "for gw-01", { qos: 1 });
    await until(async () => messages.length > 0);
    expect(victim.connected).toBe(true);
    expect(stolen).toEqual([]);
    await Promise.all([victim, intruder, collector].map((client) => client.endAsync()));
  });

  test("takes its own session over, as MQTT says", async () => {
    const first = await broker.connected("gw-01", { clientId: "same" });
    const second = await broker.connected("gw-01", { clientId: "same" });
    await until(async () => !first.connected);
    expect(second.connected).toBe(true);
    await second.endAsync();
  });

  test("cannot leave a will on a foreign topic", async () => {
    const from = broker.events.length;
    const will = { topic: "tk/v1/gw-02/status", payload: Buffer.from("gone"), qos: 1, retain: true } as const;
    const client = broker.client("gw-01", { will });
    const [error] = await next(client, "error");
    expect((error as { code: number }).code).toBe(5);
    expect(await broker.event("will", from)).toMatchObject({ kind: "AUTH_FAILED", actor: "gw-01", object: "connect" });
  });

  test("has its will published when it vanishes", async () => {
    const collector = await broker.connected("svc-collector");
    await collector.subscribeAsync("tk/v1/+/status", { qos: 1 });
    const messages = received(collector);
    const will = { topic: "tk/v1/gw-01/status", payload: Buffer.from("gone"), qos: 1, retain: true } as const;
    const gateway = await broker.connected("gw-01", { will });
    gateway.stream.destroy();
    await until(async () => messages.length > 0);
    expect(messages).toEqual([["tk/v1/gw-01/status", "gone"]]);
    await collector.endAsync();
  });

  test("is disconnected for a packet over 64 KiB, before the packet has come", async () => {
    const from = broker.events.length;
    const gateway = await broker.connected("gw-01");
    gateway.publish(UP, Buffer.alloc(65_536), { qos: 1 });
    await next(gateway, "close");
    expect(await broker.event("packet-size", from)).toMatchObject({ kind: "RATE_LIMIT_EXCEEDED", actor: "gw-01" });
    const socket = await broker.raw("gw-01");
    socket.resume().write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    await once(socket, "close");
  });

  test("that does not read holds up nobody else, and is disconnected", async () => {
    const from = broker.events.length;
    const collector = await broker.connected("svc-collector");
    const slow = await broker.connected("gw-01");
    await slow.subscribeAsync("tk/v1/gw-01/receipt", { qos: 1 });
    const other = await broker.connected("gw-02");
    await other.subscribeAsync("tk/v1/gw-02/receipt", { qos: 1 });
    const messages = received(other);
    (slow.stream as import("node:tls").TLSSocket).pause();
    // Many in one read of the broker: that is where its library lets a publisher wait for a subscriber.
    for (let sent = 0; sent < 4000; sent++) collector.publish("tk/v1/gw-01/receipt", Buffer.alloc(8000), { qos: 1 });
    await collector.publishAsync("tk/v1/gw-02/receipt", "in time", { qos: 1 });
    await until(async () => messages.length > 0, 5000);
    expect(await broker.event("slow-client", from)).toMatchObject({ kind: "RATE_LIMIT_EXCEEDED", actor: "gw-01" });
    await Promise.all([collector.endAsync(), other.endAsync(), slow.endAsync(true)]);
  });
});

describe("the collector", () => {
  test("that does not read makes the broker drop messages, and not grow", async () => {
    const from = broker.events.length;
    const collector = await broker.connected("svc-collector");
    await collector.subscribeAsync("tk/v1/+/up/+", { qos: 1 });
    collector.stream.pause();
    const gateway = await broker.connected("gw-01");
    const isFull = () => broker.events.slice(from).some(({ reason }) => reason === "queue-full");
    await until(async () => {
      for (let sent = 0; sent < 50; sent++) gateway.publish(UP, Buffer.alloc(60_000), { qos: 1 });
      return isFull();
    });
    expect((await broker.status()).counters.messagesDropped).toBeGreaterThan(0);
    const messages = received(collector);
    collector.stream.resume();
    await settle(messages);
    await Promise.all([gateway.endAsync(true), collector.endAsync()]);
  });
});

describe("the broker", () => {
  test("lives through all of this with one process, and counts it", async () => {
    const { counters } = await broker.status();
    expect(counters.handshakesFailed).toBeGreaterThanOrEqual(9);
    expect(counters.publishesDenied).toBeGreaterThanOrEqual(6);
    expect(counters.oversizedPackets).toBeGreaterThanOrEqual(2);
    expect(broker.events.every(({ tenant, count }) => tenant === "acme" && count > 0)).toBe(true);
  });

  test("makes few events of many failures", async () => {
    await delay(0);
    const from = broker.events.length;
    const started = performance.now();
    for (let round = 0; round < 50; round++) await next(broker.client("op-admin"), "close");
    const windows = (performance.now() - started) / 1000 / limits.eventWindowSeconds;
    const events = broker.events.slice(from).filter(({ reason }) => reason === "identity");
    expect(events.length).toBeLessThan(3 + windows);
  });
});

const hasMosquitto = spawnSync("mosquitto_pub", ["--help"]).error === undefined;
describe.skipIf(!hasMosquitto && process.env.CI !== "true")("mosquitto_pub", () => {
  const publish = (identity: string | null, topic: string, message: string) => {
    const { ca, cert, key } = broker.files(identity ?? "gw-01");
    const own = identity === null ? [] : ["--cert", cert, "--key", key];
    const args = ["-h", "127.0.0.1", "-p", String(broker.port), "--cafile", ca, ...own, "-q", "1", "-t", topic];
    return spawnSync("mosquitto_pub", [...args, "-m", message], { encoding: "utf8", timeout: 10_000 });
  };

  test("with a gateway's certificate reaches the collector, and in no other way", async () => {
    const collector = await broker.connected("svc-collector");
    const messages = received(collector);
    await collector.subscribeAsync("tk/v1/+/up/+", { qos: 1 });
    expect(publish("gw-01", UP, "real").status).toBe(0);
    expect(publish(null, UP, "anonymous").status).not.toBe(0);
    expect(publish("op-admin", UP, "operator").status).not.toBe(0);
    expect(publish("foreign-gw-01", UP, "foreign").status).not.toBe(0);
    publish("gw-02", UP, "other");
    await settle(messages);
    expect(messages.map(([, payload]) => payload).filter((payload) => payload.length < 16)).toEqual(["real"]);
    await collector.endAsync();
  });

  test("openssl s_client -tls1_2 is refused", () => {
    const { ca, cert, key } = broker.files("gw-01");
    const args = ["s_client", "-connect", `127.0.0.1:${broker.port}`, "-CAfile", ca, "-cert", cert, "-key", key];
    expect(spawnSync("openssl", [...args, "-tls1_2"], { input: "" }).status).not.toBe(0);
    const { stderr } = spawnSync("openssl", [...args, "-tls1_3", "-brief"], { input: "", encoding: "utf8" });
    expect(stderr).toContain("Protocol version: TLSv1.3");
  });
});
