import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAuthority } from "../../certs/authority.ts";
import { issueGatewayLeaf } from "../../certs/classes/leaf-gateway.ts";
import { BrokerHarness, next, until } from "./broker/harness.ts";

const broker = new BrokerHarness();
const { feed } = broker;
beforeAll(() => broker.start({ eventWindowSeconds: 1 }));
afterAll(() => broker.stop());

/** A new certificate for a gateway, kept under a name of its own; `seconds` before it ends. */
async function certificate(name: string, seconds?: number): Promise<string> {
  const { cert, key } = broker.pair("authority");
  const issuer = await loadAuthority({ certPem: cert, keyPem: key });
  const lifetimeSeconds = 600;
  const short = seconds !== undefined && {
    now: new Date(Date.now() - (lifetimeSeconds - seconds) * 1000),
    lifetimeSeconds,
  };
  broker.keep(name, await issueGatewayLeaf(issuer, { name: "gw-01", now: new Date(), ...short }));
  return broker.serial(name);
}

/** Whether a connection with that certificate is taken. */
async function accepted(name: string): Promise<boolean> {
  const client = broker.client(name);
  const outcome = await Promise.race([
    next(client, "connect").then(() => true),
    next(client, "close").then(() => false),
  ]);
  client.end(true);
  return outcome;
}

/** Waits until the broker has looked at what the backend says by now. */
async function looked(): Promise<void> {
  const from = feed.questions;
  await until(async () => feed.questions > from + 1);
}

describe("The embedded broker", () => {
  test("refuses a revoked certificate and ends its session, and nobody else's", async () => {
    const serial = await certificate("first");
    const victim = await broker.connected("first");
    const others = [await broker.connected("gw-01"), await broker.connected("gw-02")];
    const from = performance.now();
    await feed.revoke("gateways", serial);
    await until(async () => !victim.connected);
    expect(performance.now() - from).toBeLessThan(60_000);
    expect(await broker.event("certificate-revoked")).toMatchObject({ kind: "SESSION_ENDED", object: "gw-01" });
    expect(await accepted("first")).toBe(false);
    expect(others.map(({ connected }) => connected)).toEqual([true, true]);
    await Promise.all(others.map((client) => client.endAsync()));
  });

  test("ends a connection that was open before the list, and had said nothing yet", async () => {
    const serial = await certificate("silent");
    const socket = await broker.raw("silent");
    await until(async () => (await broker.status()).counters.connections === 1);
    await feed.revoke("gateways", serial);
    await once(socket.resume(), "close");
    expect(await accepted("silent")).toBe(false);
  });

  test("ends whom the backend names, who may connect again", async () => {
    const victim = await broker.connected("gw-01");
    feed.ended.push({ seq: 1, name: "gw-01", reason: "token-revoked" });
    await until(async () => !victim.connected);
    const again = await broker.connected("gw-01");
    await looked();
    expect(again.connected).toBe(true);
    await again.endAsync();
  });

  test("ends a session whose certificate has ended", async () => {
    await certificate("short", 8);
    const client = await broker.connected("short");
    await until(async () => !client.connected, 30_000);
    expect(await broker.event("certificate-expired")).toMatchObject({ kind: "SESSION_ENDED", object: "gw-01" });
    expect(await accepted("short")).toBe(false);
  });

  test("ends it in that moment, however seldom it looks at anything else", async () => {
    const seldom = new BrokerHarness();
    try {
      await seldom.start({}, 30);
      const { cert, key } = seldom.pair("authority");
      const issuer = await loadAuthority({ certPem: cert, keyPem: key });
      const now = new Date(Date.now() - 594_000);
      seldom.keep("short", await issueGatewayLeaf(issuer, { name: "gw-01", now, lifetimeSeconds: 600 }));
      const client = await seldom.connected("short");
      await next(client, "close");
      const end = new X509Certificate(seldom.pair("short").cert).validToDate.getTime();
      expect(Date.now() - end).toBeGreaterThan(0);
      expect(Date.now() - end).toBeLessThan(1000);
    } finally {
      await seldom.stop();
    }
  });

  test.each([
    ["torn", (pem: string) => pem.slice(0, pem.length / 2)],
    ["empty", () => ""],
    ["of a stranger", () => "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"],
    ["with another signature", (pem: string) => pem.replace(/(.{30})\n-----END/, `${"A".repeat(28)}==\n-----END`)],
  ])("keeps the lists that it has when the newest is %s", async (_, spoil) => {
    await feed.revoke("gateways", await certificate("spoilt"));
    await looked();
    const good = feed.crls.get("gateways") ?? "";
    feed.crls.set("gateways", spoil(await feed.publish("gateways")));
    await looked();
    expect(await accepted("spoilt")).toBe(false);
    expect(await accepted("gw-01")).toBe(true);
    feed.crls.set("gateways", good);
  });

  test("takes no list that is older than the one in force, after a kill neither", async () => {
    const old = feed.crls.get("gateways") ?? "";
    await feed.revoke("gateways", await certificate("older"));
    await looked();
    const newest = feed.crls.get("gateways") ?? "";
    feed.crls.set("gateways", old);
    await looked();
    expect(await accepted("older")).toBe(false);
    await broker.launch();
    await looked();
    expect(await accepted("older")).toBe(false);
    feed.crls.set("gateways", newest);
  });

  test("works on without the backend, and takes its word when it is back", async () => {
    feed.away = true;
    await feed.revoke("gateways", await certificate("later"));
    await broker.launch();
    await looked();
    expect(await accepted("later")).toBe(true);
    feed.away = false;
    await until(async () => !(await accepted("later")));
    expect(await accepted("gw-01")).toBe(true);
  });

  test("ends sessions below an authority that is revoked, and refuses its whole chain", async () => {
    const gateway = await broker.connected("gw-01");
    const collector = await broker.connected("svc-collector");
    await feed.revoke("root", broker.serial("authority"));
    await until(async () => !gateway.connected);
    await delay(500);
    expect(collector.connected).toBe(true);
    expect(await accepted("gw-01")).toBe(false);
    expect(await accepted("svc-collector")).toBe(true);
    await collector.endAsync();
  });
});
