import { spawnSync } from "node:child_process";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { ACCESS } from "../../../protocol/topics.ts";
import { next, until } from "../broker/harness.ts";
import { attempt } from "./attempt.ts";
import { type Authorities, leafOf, makeAuthorities } from "./authorities.ts";
import { forgeCrl } from "./forge-crl.ts";
import { MISUSES } from "./misuse.ts";
import { Mosquitto } from "./mosquitto.ts";
import { NOBODIES } from "./nobodies.ts";

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
const SENSOR = "0123456789abcdef01";

describe.skipIf(!installed && process.env.CI !== "true")("Mosquitto, with what is rendered for it", () => {
  let authorities: Authorities;
  let broker: Mosquitto;
  const crls = (hours?: number, revoked: readonly CertifiedKey[] = []) =>
    Promise.all(
      [authorities.root, ...Object.values(authorities.issuers)].map((each) =>
        forgeCrl(each, each.kind === "gateways" ? revoked : [], hours),
      ),
    );
  beforeAll(async () => {
    authorities = await makeAuthorities("acme");
    broker = new Mosquitto(authorities);
    await broker.start(await crls());
  });
  afterAll(() => broker.stop());

  /** What a client with that certificate gets. */
  const outcome = (shown: CertifiedKey | null, options = {}) =>
    attempt({ ...broker.where, ...(shown && { cert: shown.certPem, key: shown.keyPem }), ...options });

  test.each(["gw-01", "svc-backend", "svc-collector"])("takes %s with its own certificate", async (name) => {
    expect(await outcome(await leafOf(authorities, name))).toBe("accepted");
  });

  test.each(MISUSES)("refuses $kind, and says why", async ({ show, options, alert, logged }) => {
    const from = broker.log.length;
    expect(await outcome(await show(authorities), options)).toMatch(alert);
    expect(await broker.logged(logged, from)).not.toContain("New client connected");
  });

  /** What the collector sees, and what the client hears, while it says everything that there is to say. */
  async function effect(shown: CertifiedKey): Promise<{ readonly seen: string[]; readonly heard: readonly string[] }> {
    const observer = broker.client(await leafOf(authorities, "svc-collector"));
    const seen: string[] = [];
    observer.on("message", (topic, payload) => seen.push(`${topic} ${payload}`));
    await next(observer, "connect");
    await observer.subscribeAsync(["tk/v1/+/up/+", "tk/v1/+/status"], { qos: 1 });
    const heard = await speak(broker.client(shown));
    const gateway = broker.client(await leafOf(authorities, "gw-02"));
    await next(gateway, "connect");
    await gateway.publishAsync("tk/v1/gw-02/status", "mark", { qos: 1 });
    await until(async () => seen.includes("tk/v1/gw-02/status mark"));
    await Promise.all([observer.endAsync(), gateway.endAsync()]);
    return { seen: seen.filter((each) => !each.endsWith(" mark")), heard };
  }

  test("lets a gateway say what is its own, which the next tests would see", async () => {
    const { seen } = await effect(await leafOf(authorities, "gw-01"));
    expect(seen.toSorted()).toEqual(["tk/v1/gw-01/status mine", `tk/v1/gw-01/up/${SENSOR} mine`]);
  });

  test.each(NOBODIES)("lets $kind do nothing", async ({ show }) => {
    expect(await effect(await show(authorities))).toEqual({ seen: [], heard: [] });
  });

  test("refuses a revoked certificate, and not another of the same name", async () => {
    const [revoked, kept] = await Promise.all([leafOf(authorities, "gw-01"), leafOf(authorities, "gw-01")]);
    expect(await outcome(revoked)).toBe("accepted");
    await broker.restart(await crls(undefined, [revoked]));
    const from = broker.log.length;
    expect(await outcome(revoked)).toMatch(/CERTIFICATE_REVOKED$/);
    await broker.logged(/certificate verify failed/, from);
    expect(await outcome(kept)).toBe("accepted");
  });

  test("refuses everybody once its revocation list is out of date", async () => {
    await broker.restart(await crls(-1));
    const from = broker.log.length;
    expect(await outcome(await leafOf(authorities, "gw-01"))).toMatch(/CERTIFICATE_EXPIRED$/);
    await broker.logged(/certificate verify failed/, from);
  });
});

/** Publishes and subscribes wherever there is something; what it got. A broker may close before that. */
async function speak(client: MqttClient): Promise<readonly string[]> {
  const heard: string[] = [];
  client.on("message", (topic) => heard.push(topic));
  const closed = next(client, "close");
  const talk = async (): Promise<void> => {
    await next(client, "connect");
    await client.subscribeAsync(["#", "tk/v1/gw-01/trust"], { qos: 1 }).catch(() => undefined);
    for (const { topic, perSensor } of ACCESS)
      await client.publishAsync(`tk/v1/gw-01/${topic}${perSensor ? `/${SENSOR}` : ""}`, "mine", { qos: 1 });
  };
  await Promise.race([talk(), closed]);
  client.end(true);
  return heard;
}
