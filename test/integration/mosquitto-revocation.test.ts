import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAuthority } from "../../certs/authority.ts";
import { issueServiceLeaf } from "../../certs/classes/leaf-service.ts";
import { certificatesIn } from "../../services/runtime/broker-trust/issuers.ts";
import { until } from "./broker/harness.ts";
import { MosquittoHarness } from "./mosquitto/harness.ts";

const REVOKED = /CERTIFICATE_REVOKED/;
const broker = new MosquittoHarness();
const { feed } = broker;

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")("Mosquitto behind its guard", () => {
  beforeAll(() => broker.start());
  afterAll(() => broker.stop());

  async function refusedLists(): Promise<number> {
    return (await broker.guard()).counters.crlsRefused ?? 0;
  }

  test("warns of a list that ends in less than 96 h, and takes one that ends later", async () => {
    const hours = (count: number) => new Date(Date.now() - 7 * 86_400_000 + count * 3_600_000);
    await feed.publish("operators", hours(97));
    await broker.inForce("operators");
    expect(broker.log).not.toContain("end in less than 96 hours");
    await feed.publish("operators", hours(95));
    await broker.inForce("operators");
    await until(async () => /TrustKern operators.*end in less than 96 hours/.test(broker.log));
    await feed.publish("operators");
    await broker.inForce("operators");
  });

  test.each([
    ["torn", (pem: string) => pem.slice(0, pem.length / 2)],
    ["empty", () => ""],
    ["of a stranger", () => "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"],
    ["with another signature", (pem: string) => pem.replace(/(.{30})\n-----END/, `${"A".repeat(28)}==\n-----END`)],
  ])("keeps the lists that it has when the newest is %s", async (_, spoil) => {
    const serial = await broker.newGateway("spoilt");
    await feed.revoke("gateways", serial);
    await broker.inForce("gateways");
    const before = feed.questions;
    const good = feed.crls.get("gateways") ?? "";
    feed.crls.set("gateways", spoil(await feed.publish("gateways")));
    await until(async () => feed.questions > before + 3);
    expect(await broker.attempt("spoilt")).toMatch(REVOKED);
    expect(await broker.attempt("gw-01")).toBe("accepted");
    expect((await broker.guard()).ready).toBe(true);
    feed.crls.set("gateways", good);
  });

  test("takes no list that is older than the one in force, after a restart neither", async () => {
    const serial = await broker.newGateway("older");
    const old = feed.crls.get("gateways") ?? "";
    await feed.revoke("gateways", serial);
    await broker.inForce("gateways");
    const newest = feed.crls.get("gateways") ?? "";
    const from = await refusedLists();
    feed.crls.set("gateways", old);
    await until(async () => (await refusedLists()) > from);
    expect(await broker.attempt("older")).toMatch(REVOKED);
    await broker.kill("SIGTERM");
    rmSync(broker.at("state/crl.pem"));
    await broker.run();
    await until(async () => feed.questions > 0 && (await broker.guard()).ready);
    expect(await broker.attempt("older")).not.toBe("accepted");
    feed.crls.set("gateways", newest);
    await broker.inForce("gateways");
    expect(await broker.attempt("gw-01")).toBe("accepted");
  });

  test.each([
    ["torn", () => truncateSync(broker.at("state/crl.pem"), 300)],
    ["empty", () => truncateSync(broker.at("state/crl.pem"), 0)],
    ["gone", () => rmSync(broker.at("state/crl.pem"))],
  ])("refuses what is revoked though the file is %s when it is told to reload", async (_, spoil) => {
    const serial = await broker.newGateway("file");
    await feed.revoke("gateways", serial);
    await broker.inForce("gateways");
    const whole = readFileSync(broker.at("state/crl.pem"), "utf8");
    spoil();
    process.kill(broker.pid, "SIGHUP");
    await until(async () => readFileSync(broker.at("state/crl.pem"), "utf8") === whole);
    await broker.ready();
    expect(await broker.attempt("file")).toMatch(REVOKED);
    expect(await broker.attempt("gw-01")).toBe("accepted");
  });

  test("works on without the backend, and takes its word when it is back", async () => {
    feed.away = true;
    const serial = await broker.newGateway("later");
    await feed.revoke("gateways", serial);
    await broker.restart("SIGKILL");
    expect(await broker.attempt("later")).toBe("accepted");
    feed.away = false;
    await broker.inForce("gateways");
    expect(await broker.attempt("later")).toMatch(REVOKED);
  });

  test("takes a new certificate from its files, and no half of one", async () => {
    const client = await broker.connected("gw-02");
    const old = (await broker.guard()).tls?.certificate;
    const { cert, key } = broker.pair("authority-services");
    const issuer = await loadAuthority({ certPem: cert, keyPem: key });
    const renewed = await issueServiceLeaf(issuer, {
      name: "svc-broker",
      ipAddresses: ["127.0.0.1"],
      now: new Date(),
    });
    writeFileSync(broker.at("svc-broker.key"), renewed.keyPem);
    await until(async () => ((await broker.guard()).counters.pairsRefused ?? 0) > 0);
    expect(await broker.attempt("gw-01")).toBe("accepted");
    expect((await broker.guard()).tls?.certificate).toBe(old);
    writeFileSync(broker.at("svc-broker.crt"), renewed.certPem);
    await until(async () => (await broker.guard()).tls?.certificate !== old);
    expect(await broker.attempt("gw-01")).toBe("accepted");
    expect(client.connected).toBe(true);
    await client.endAsync();
  });

  test("takes a second root beside the first, as a rotation brings it, and lets go of it again", async () => {
    const first = broker.pair("root").cert;
    for (const [name, from] of [
      ["second-root", "foreign-root"],
      ["second-gateways", "foreign-authority"],
    ] as const)
      await feed.add(name, { certPem: broker.pair(from).cert, keyPem: broker.pair(from).key });
    expect(await broker.attempt("foreign-gw-01")).not.toBe("accepted");
    writeFileSync(broker.at("root.crt"), first + broker.pair("foreign-root").cert);
    await until(async () => (await broker.attempt("foreign-gw-01")) === "accepted", 60_000);
    expect(await broker.attempt("gw-01")).toBe("accepted");
    const below = await broker.connected("foreign-gw-01");
    writeFileSync(broker.at("root.crt"), first);
    // Before anybody of that name connects again, which would end it too.
    await until(async () => !below.connected);
    await until(async () => (await broker.attempt("foreign-gw-01")) !== "accepted", 60_000);
    for (const name of ["second-root", "second-gateways"]) feed.crls.delete(name);
    await broker.ready();
    expect(await broker.attempt("gw-01")).toBe("accepted");
  });

  test("takes an authority that is revoked out of the trust file", async () => {
    const trusted = () => certificatesIn(readFileSync(broker.at("live/ca.crt"), "utf8")).map(String);
    const both = [broker.pair("root").cert, broker.pair("authority-operators").cert];
    const { restarts = 0 } = (await broker.guard()).counters;
    writeFileSync(broker.at("root.crt"), both.join(""));
    await until(async () => ((await broker.guard()).counters.restarts ?? 0) > restarts);
    expect(trusted()).toEqual(both);
    await feed.revoke("root", broker.serial("authority-operators"));
    await broker.inForce("root");
    expect(trusted()).toEqual(both.slice(0, 1));
    expect(await broker.attempt("op-admin")).not.toBe("accepted");
    expect(await broker.attempt("gw-01")).toBe("accepted");
    writeFileSync(broker.at("root.crt"), both[0] ?? "");
  });

  test("ends sessions below an authority that is revoked, and refuses its whole chain", async () => {
    const gateway = await broker.connected("gw-01");
    const collector = await broker.connected("svc-collector");
    await feed.revoke("root", broker.serial("authority"));
    await until(async () => !gateway.connected);
    await broker.ready();
    expect(await broker.attempt("gw-01")).not.toBe("accepted");
    expect(await broker.attempt("svc-collector")).toBe("accepted");
    await collector.endAsync(true);
  });

  test("is stopped when its probe is accepted: no broker is better than an open one", async () => {
    // The probe's certificate is replaced by one that nobody revoked: what a broker without revocation would look like.
    const { cert, key } = broker.pair("svc-collector");
    writeFileSync(broker.at("svc-probe-revoked.crt"), cert);
    writeFileSync(broker.at("svc-probe-revoked.key"), key);
    await feed.publish("services");
    await until(async () => (await broker.guard()).reason === "probe-open");
    expect((await broker.guard()).ready).toBe(false);
    await until(async () => (await broker.attempt("svc-collector")) === "ECONNREFUSED");
    expect(await broker.event("probe-open")).toMatchObject({ kind: "CRL_REJECTED" });
    const probe = broker.pair("svc-probe-revoked");
    writeFileSync(broker.at("svc-probe-revoked.crt"), probe.cert);
    writeFileSync(broker.at("svc-probe-revoked.key"), probe.key);
    await broker.ready();
    expect(await broker.attempt("svc-collector")).toBe("accepted");
  });

  test("ends with Mosquitto, with an exit code that is not 0", async () => {
    const child = broker.process;
    const gone = new Promise<number | null>((resolve) => child?.once("exit", resolve));
    const mosquitto = spawnSync("pgrep", ["-P", String(broker.pid), "mosquitto"], { encoding: "utf8" }).stdout.trim();
    process.kill(Number(mosquitto), "SIGKILL");
    expect(await gone).toBeGreaterThan(0);
  });
});
