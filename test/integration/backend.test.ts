import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Allowlist, lookup, verifyAllowlist } from "../../protocol/allowlist.ts";
import { bytesOfHex } from "../../protocol/hex.ts";
import { verifyProvisioningBundle } from "../../protocol/provisioning-bundle.ts";
import { importP256Point } from "../../protocol/signature.ts";
import { cmdTopic, statusTopic, trustTopic } from "../../protocol/topics.ts";
import { verifyUpdate } from "../../protocol/update.ts";
import { Harness, type Started, until } from "./backend/harness.ts";
import { TestSensor } from "./backend/sensor.ts";

const harness = new Harness();
const publicKey = randomBytes(32);
const recipient = {
  key_id: createHash("sha256").update(publicKey).digest("hex").slice(0, 16),
  public_key: publicKey.toString("hex"),
  not_before: "2026-01-01T00:00:00.000Z",
};
let brokerPort = 0;
let backend: Started;

const post = (path: string, body?: unknown) => harness.call("op-admin", "POST", path, body);

beforeAll(async () => {
  ({ brokerPort } = await harness.prepare());
  backend = await harness.startBackend(harness.backendConfig(brokerPort));
});
afterAll(() => harness.close());

async function provision(sensor: TestSensor): Promise<{ readonly proof: object; readonly bundle: string }> {
  const challenge = await post("/v1/provisioning/challenge", { sensor_id: sensor.id });
  const proof = await sensor.prove(challenge.body);
  return { proof, bundle: (await post("/v1/provisioning/bundle", proof)).body.bundle };
}

async function collectorAllowlist(currentVersion = 0): Promise<Allowlist> {
  const { status, body } = await harness.call("svc-collector", "GET", "/v1/allowlist/collector");
  expect(status).toBe(200);
  const backendKey = await signingKey();
  return verifyAllowlist({ dsse: JSON.stringify(body), backendKey, audience: "collector", currentVersion });
}

async function signingKey() {
  const { body } = await harness.call("op-admin", "GET", "/v1/signing-key");
  return importP256Point(bytesOfHex(body.public_key));
}

const startBroker = (): Started => harness.start("broker", harness.brokerConfig(brokerPort));

/** A gateway's connection, with the newest message of each topic. */
async function gateway(name: string): Promise<{ client: MqttClient; newest: Map<string, Buffer> }> {
  const newest = new Map<string, Buffer>();
  const servername = "broker.acme.trustkern.internal";
  const client = await until(() =>
    connectAsync(
      `mqtts://127.0.0.1:${brokerPort}`,
      { ...harness.tls(name), servername, reconnectPeriod: 0 },
      false,
    ).catch(() => null),
  );
  client.on("error", () => {});
  client.on("message", (topic, payload) => newest.set(topic, payload));
  await client.subscribeAsync([trustTopic(name), cmdTopic(name, "+")], { qos: 1 });
  return { client, newest };
}

it("runs without its broker, says so, and says why", async () => {
  expect(await harness.waitStatus("backend", ({ ready }) => ready === false)).toMatchObject({
    ready: false,
    reason: "the broker does not answer",
  });
});

it("gives no bundle while it knows no key to encrypt to", async () => {
  const sensor = new TestSensor();
  const challenge = await post("/v1/provisioning/challenge", { sensor_id: sensor.id });
  const refused = await post("/v1/provisioning/bundle", await sensor.prove(challenge.body));
  expect(refused).toMatchObject({ status: 503, body: { error: { code: "RECIPIENT_NONE" } } });
  expect(await harness.call("op-admin", "PUT", "/v1/recipients", [recipient])).toMatchObject({ body: [recipient] });
});

it("provisions a sensor once, from challenge to allowlist", async () => {
  const sensor = new TestSensor();
  const { proof, bundle } = await provision(sensor);
  const content = verifyProvisioningBundle({ dsse: bundle, sensorId: sensor.id, publicKey: sensor.publicKey });
  expect(content).toMatchObject({
    recipient: [recipient],
    network: { network_key: "00112233445566778899aabbccddeeff" },
  });
  expect(lookup(await collectorAllowlist(), sensor.id)).toEqual({ kind: "unknown" });

  const activation = await sensor.activate(content.bundle_id);
  expect(await post("/v1/provisioning/activate", activation)).toMatchObject({ status: 200, body: { state: "active" } });
  expect(lookup(await collectorAllowlist(), sensor.id)).toMatchObject({ kind: "known" });

  for (const [path, body, code] of [
    ["activate", activation, "PROVISIONING_BUNDLE_USED"],
    ["bundle", proof, "PROVISIONING_CHALLENGE_USED"],
    ["challenge", { sensor_id: sensor.id }, "PROVISIONING_SENSOR_ACTIVE"],
  ] as const)
    expect(await post(`/v1/provisioning/${path}`, body)).toMatchObject({ status: 409, body: { error: { code } } });
  const reasons = await until(() => {
    const found = events(backend).map(({ reason }) => reason);
    return found.includes("PROVISIONING_SENSOR_ACTIVE") && found;
  });
  expect(reasons).toEqual(expect.arrayContaining(["PROVISIONING_BUNDLE_USED", "PROVISIONING_CHALLENGE_USED"]));
});

it("uses a challenge up by a proof that does not verify", async () => {
  const sensor = new TestSensor();
  const impostor = new TestSensor(sensor.id);
  const { body } = await post("/v1/provisioning/challenge", { sensor_id: sensor.id });
  const forged = { ...(await impostor.prove(body)), public_key: sensor.publicKey };
  expect(await post("/v1/provisioning/bundle", forged)).toMatchObject({
    status: 403,
    body: { error: { code: "PROVISIONING_PROOF_INVALID" } },
  });
  expect(await post("/v1/provisioning/bundle", await sensor.prove(body))).toMatchObject({
    body: { error: { code: "PROVISIONING_CHALLENGE_USED" } },
  });
});

it.each([
  ["not JSON", "/v1/devices", "{", 400, "HTTP_BODY_INVALID"],
  ["no body", "/v1/devices", undefined, 400, "HTTP_BODY_INVALID"],
  ["a member too many", "/v1/provisioning/challenge", { sensor_id: "00".repeat(9), x: 1 }, 400, "HTTP_BODY_INVALID"],
  ["an id in upper case", "/v1/provisioning/challenge", { sensor_id: "AA".repeat(9) }, 400, "HTTP_BODY_INVALID"],
  ["an id of another length in a path", "/v1/devices/00/revoke", {}, 400, "HTTP_BODY_INVALID"],
  [
    "a public key that is not on the curve",
    "/v1/devices",
    { sensor_id: "00".repeat(9), public_key: `04${"11".repeat(64)}`, maker: "a", model: "b" },
    400,
    "PROTOCOL_BAD_POINT",
  ],
  ["a sensor that is not registered", `/v1/devices/${"00".repeat(9)}/revoke`, {}, 404, "DEVICE_UNKNOWN"],
  ["a body over 64 KiB", "/v1/devices", "x".repeat(70_000), 413, "HTTP_BODY_TOO_LARGE"],
  ["a path that it does not have", "/v2/devices", {}, 404, "HTTP_NO_ROUTE"],
])("refuses %s", async (_, path, body, status, code) => {
  expect(await post(path, body)).toMatchObject({ status, body: { error: { code } } });
});

it("refuses a key id that is not its public key's", async () => {
  const wrong = [{ ...recipient, key_id: "00".repeat(8) }];
  expect(await harness.call("op-admin", "PUT", "/v1/recipients", wrong)).toMatchObject({
    status: 400,
    body: { error: { code: "HTTP_BODY_INVALID" } },
  });
});

it.each([
  ["gw-01", "GET", "/v1/allowlist/collector"],
  ["gw-01", "POST", "/v1/provisioning/challenge"],
  ["svc-collector", "GET", "/v1/devices"],
  ["svc-collector", "POST", "/v1/devices"],
  ["svc-broker", "GET", "/v1/allowlist/collector"],
])("refuses %s the route %s %s, with an event", async (name, method, path) => {
  const refused = await harness.call(name, method, path, method === "POST" ? {} : undefined);
  expect(refused).toMatchObject({ status: 403, body: { error: { code: "BACKEND_ROLE_REFUSED" } } });
  const wanted = { kind: "AUTH_FAILED", actor: name, object: `${method} ${path}`, sourceAddress: "127.0.0.1" };
  await until(() =>
    events(backend).some((event) => Object.entries(wanted).every(([key, value]) => event[key] === value)),
  );
});

it("refuses a client without a certificate, and TLS 1.2", async () => {
  await expect(harness.call(null, "GET", "/v1/devices")).rejects.toThrow();
  await expect(harness.call("op-admin", "GET", "/v1/devices", undefined, { maxVersion: "TLSv1.2" })).rejects.toThrow();
  await until(() => events(backend).some(({ object }) => object === "tls"));
});

it("has handed its gateways everything once the broker is there, and again after the broker's death", async () => {
  const broker = startBroker();
  await harness.waitStatus("backend", ({ ready }) => ready === true);
  const sensor = new TestSensor();
  await post("/v1/devices", sensor.identity);
  const { client, newest } = await gateway("gw-01");
  const backendKey = await signingKey();
  const trusted = () => {
    const dsse = newest.get(trustTopic("gw-01"))?.toString();
    return dsse ? verifyAllowlist({ dsse, backendKey, audience: "gateway/gw-01", currentVersion: 0 }) : null;
  };
  await until(() => trusted()?.entries.has(sensor.id));
  const before = trusted()?.document.version ?? 0;

  expect(await post(`/v1/devices/${sensor.id}/revoke`)).toMatchObject({ status: 200, body: { state: "revoked" } });
  await until(() => (trusted()?.document.version ?? 0) > before);
  expect(lookup(trusted()!, sensor.id)).toEqual({ kind: "revoked" });
  await client.endAsync(true);

  await harness.kill(broker);
  await harness.waitStatus("backend", ({ ready }) => ready === false);
  const registeredMeanwhile = new TestSensor();
  expect(await post("/v1/devices", registeredMeanwhile.identity)).toMatchObject({ status: 200 });
  startBroker();
  await harness.waitStatus("backend", ({ ready }) => ready === true);
  const again = await gateway("gw-02");
  await until(() => {
    const dsse = again.newest.get(trustTopic("gw-02"))?.toString();
    return (
      dsse &&
      verifyAllowlist({ dsse, backendKey, audience: "gateway/gw-02", currentVersion: 0 }).entries.has(
        registeredMeanwhile.id,
      )
    );
  });
  await again.client.endAsync(true);
});

it("hands an update to a gateway that comes online later", async () => {
  const sensor = new TestSensor();
  await post("/v1/devices", sensor.identity);
  for (const update_counter of [1, 2])
    expect(await post(`/v1/devices/${sensor.id}/update`)).toMatchObject({ status: 200, body: { update_counter } });
  const { client, newest } = await gateway("gw-01");
  await client.publishAsync(statusTopic("gw-01"), JSON.stringify({ state: "online" }), { qos: 1, retain: true });
  const bytes = await until(() => newest.get(cmdTopic("gw-01", sensor.id)));
  const expected = { bytes, backendKey: await signingKey(), sensorId: bytesOfHex(sensor.id), lastCounter: 1 };
  expect(verifyUpdate(expected)).toMatchObject({ counter: 2, keys: [{ keyId: expect.anything() }] });
  await client.endAsync(true);
});

it("signs no update for a sensor that is revoked, and takes it back by no way", async () => {
  const sensor = new TestSensor();
  await post("/v1/devices", sensor.identity);
  await post(`/v1/devices/${sensor.id}/revoke`);
  for (const [path, body, code] of [
    [`/v1/devices/${sensor.id}/update`, undefined, "DEVICE_NOT_ACTIVE"],
    ["/v1/devices", sensor.identity, "DEVICE_REVOKED"],
    ["/v1/provisioning/challenge", { sensor_id: sensor.id }, "DEVICE_REVOKED"],
  ] as const)
    expect(await post(path, body)).toMatchObject({ status: 409, body: { error: { code } } });
});

it("keeps every step that it answered when it is killed at any moment", async () => {
  const answered: string[] = [];
  const used: object[] = [];
  for (let round = 0; round < 5; round += 1) {
    let stop = false;
    const work = (async () => {
      while (!stop) {
        const sensor = new TestSensor();
        const { bundle } = await provision(sensor);
        const { bundle_id } = verifyProvisioningBundle({
          dsse: bundle,
          sensorId: sensor.id,
          publicKey: sensor.publicKey,
        });
        const activation = await sensor.activate(bundle_id);
        await post("/v1/provisioning/activate", activation);
        answered.push(sensor.id);
        used.push(activation);
      }
    })().catch(() => {});
    const target = answered.length + 3;
    await until(() => answered.length >= target);
    await harness.kill(backend);
    stop = true;
    await work;
    backend = await harness.startBackend(harness.backendConfig(brokerPort));
  }
  const devices = (await harness.call("op-admin", "GET", "/v1/devices")).body as unknown as {
    sensor_id: string;
    state: string;
  }[];
  const active = devices.filter(({ state }) => state === "active").map(({ sensor_id }) => sensor_id);
  expect(active).toEqual(expect.arrayContaining(answered));
  const { entries } = await collectorAllowlist();
  for (const id of answered) expect(entries.get(id)).toMatchObject({ kind: "known" });
  expect(await post("/v1/provisioning/activate", used[0])).toMatchObject({
    status: 409,
    body: { error: { code: "PROVISIONING_BUNDLE_USED" } },
  });
});

it("never gives a version twice, also over a restart", async () => {
  const { version } = (await collectorAllowlist()).document;
  expect(await harness.kill(backend, "SIGTERM")).toBe(0);
  backend = await harness.startBackend(harness.backendConfig(brokerPort));
  expect((await collectorAllowlist(version)).document.version).toBeGreaterThan(version);
});

it("says which pins of the broker its next connection is held to, which a rotation waits for", async () => {
  const pins = async () => ((await harness.waitStatus("backend", () => true)).tls as { pins?: string[] }).pins;
  const file = join(harness.folder, "broker.pins");
  const now = readFileSync(file, "utf8");
  expect(await pins()).toEqual([now.trim()]);
  const next = "0a".repeat(32);
  harness.write("broker.pins", `${now}${next}\n`);
  expect(await pins()).toEqual([now.trim(), next]);
  harness.write("broker.pins", now);
});

it("writes no secret to its log", async () => {
  const written = JSON.stringify(backend.log());
  expect(written).not.toContain("00112233445566778899aabbccddeeff");
  expect(written).not.toContain("PRIVATE KEY");
});

function events(started: Started): readonly Record<string, unknown>[] {
  return started.log().flatMap(({ event }) => (event ? [event as Record<string, unknown>] : []));
}
