import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decodeEnvelope, envelopeDigest } from "../../protocol/envelope.ts";
import { encodeReceipts } from "../../protocol/receipt.ts";
import { importP256Point, verifyEnvelopeSignature } from "../../protocol/signature.ts";
import { receiptTopic } from "../../protocol/topics.ts";
import type { Verdict } from "../../protocol/verdict.ts";
import { GatewayHarness, until } from "./gateway/harness.ts";
import { type ListedSensor, provision } from "./gateway/provisioner.ts";

interface LedgerEntry {
  readonly id: number;
  readonly sensor_id: string;
  readonly boot_id: number;
  readonly seq: number;
  readonly digest: string;
}

let rig: GatewayHarness;

beforeEach(async () => {
  rig = new GatewayHarness();
  await rig.start();
  await rig.collect();
  await rig.startSimulator();
});
afterEach(() => rig.stop());

/** That many sensors, provisioned, on the gateway's allowlist and joined. */
async function joined(count: number): Promise<readonly ListedSensor[]> {
  const sensors = await rig.simulator<ListedSensor[]>("POST", "/sensors", { count });
  for (const sensor of sensors) await provision(sensor, rig.backendKey);
  await rig.trust(sensors.map(({ sensor_id: id, public_key: publicKey }) => ({ id, publicKey })));
  for (const { sensor_id } of sensors) await rig.simulator("POST", `/sensors/${sensor_id}/join`);
  return sensors;
}
const list = () => rig.simulator<ListedSensor[]>("GET", "/sensors");
const ledger = () => rig.simulator<LedgerEntry[]>("GET", "/ledger?after=0");
const done = () => until(async () => (await rig.simulatorCounters()).remaining === 0, 60_000);

/** Every message of the ledger once, and each of them at the collector. */
async function expectNothingLost(): Promise<readonly LedgerEntry[]> {
  const entries = await ledger();
  expect(new Set(entries.map(({ sensor_id, boot_id, seq }) => `${sensor_id} ${boot_id} ${seq}`)).size).toBe(
    entries.length,
  );
  const arrived = () => new Set(rig.received.map(({ bytes }) => envelopeDigest(bytes).toString("hex")));
  await until(() => entries.every(({ digest }) => arrived().has(digest)));
  return entries;
}

test("provisions a sensor once, closes its port for good, and keeps key and state over a restart", async () => {
  const [fresh] = await rig.simulator<ListedSensor[]>("POST", "/sensors", { count: 1 });
  expect(await provision(fresh!, rig.backendKey)).toEqual({ activation: expect.stringMatching(/^[0-9a-f]{128}$/) });
  const refused = async () => {
    const [error] = await once(connect(fresh!.provisioning_port!, "127.0.0.1"), "error");
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
  };
  await refused();
  await rig.kill("simulator");
  await rig.startSimulator();
  expect(await list()).toMatchObject([
    {
      sensor_id: fresh!.sensor_id,
      public_key: fresh!.public_key,
      state: "provisioned",
      provisioning_port: null,
      boot_id: 2,
    },
  ]);
  await refused();
  expect(await rig.simulator("POST", "/sensors", { count: 1 })).toHaveLength(1);
});

test("answers its provisioning radio over the control socket too, and refuses there what the radio refuses", async () => {
  const [fresh] = await rig.simulator<ListedSensor[]>("POST", "/sensors", { count: 1 });
  const radio = (question: object) => rig.simulator<object>("POST", `/sensors/${fresh!.sensor_id}/radio`, question);
  expect(await radio({ op: "identify" })).toMatchObject({ sensor_id: fresh!.sensor_id, public_key: fresh!.public_key });
  for (const wrong of [{ op: "read" }, { op: "prove", nonce: "00" }, { op: "provision", bundle: "{}" }, {}])
    await expect(radio(wrong)).rejects.toMatchObject({ code: "SIM_PROVISIONING_REFUSED" });
  await provision(fresh!, rig.backendKey);
  await expect(radio({ op: "identify" })).rejects.toMatchObject({ code: "SIM_PROVISIONING_REFUSED" });
});

test.each([
  ["and closes", (socket: Socket) => socket.end()],
  ["and vanishes", (socket: Socket) => socket.destroy()],
  ["and resets", (socket: Socket) => socket.resetAndDestroy()],
  ["and never reads", (socket: Socket) => socket.pause()],
])("outlives a client of a provisioning port that sends many lines %s", async (_, leave) => {
  const [fresh] = await rig.simulator<ListedSensor[]>("POST", "/sensors", { count: 1 });
  const clients: Socket[] = [];
  for (let round = 0; round < 10; round++) {
    const client = connect(fresh!.provisioning_port!, "127.0.0.1").on("error", () => undefined);
    clients.push(client);
    await once(client, "connect");
    await new Promise((resolve) => client.write("{}\n".repeat(2000), resolve));
    leave(client);
  }
  await delay(300);
  expect(rig.isAlive("simulator")).toBe(true);
  expect(await provision(fresh!, rig.backendKey)).toHaveProperty("activation");
  for (const client of clients) client.destroy();
});

test("lets nobody read a key out of a secure element", async () => {
  const [sensor] = await rig.simulator<ListedSensor[]>("POST", "/sensors", { count: 1 });
  const ask = (body: object) => rig.simulator("POST", `/sensors/${sensor!.sensor_id}/secure-element`, body);
  for (const command of ["read", "private-key", "export"])
    await expect(ask({ command })).rejects.toMatchObject({ code: "SE_COMMAND_REFUSED" });
  expect(await ask({ command: "public-key" })).toEqual({ public_key: sensor!.public_key });
});

test("measures, seals and signs one message on demand, and refuses what is out of order", async () => {
  const [sensor] = await joined(1);
  const sent = await rig.simulator<{ envelope: string; plaintext: string; code: string }>(
    "POST",
    `/sensors/${sensor!.sensor_id}/measure`,
  );
  expect(sent.code).toBe("2.04");
  const decoded = decodeEnvelope(Buffer.from(sent.envelope, "hex"));
  const key = importP256Point(Buffer.from(sensor!.public_key, "hex"));
  expect(decoded.ok && verifyEnvelopeSignature(key, decoded.signedBytes, decoded.envelope.signature)).toBe(true);
  expect(JSON.parse(sent.plaintext)).toMatchObject({ fw: expect.any(String), temperature_c: expect.any(Number) });
  await rig.simulator("POST", "/sensors", { count: 2 });
  const fresh = (await list())[1]!;
  for (const [path, code] of [
    ["join", "SIM_NOT_PROVISIONED"],
    ["measure", "SIM_NOT_JOINED"],
  ])
    await expect(rig.simulator("POST", `/sensors/${fresh.sensor_id}/${path}`)).rejects.toMatchObject({ code });
  await expect(rig.simulator("POST", "/sensors/00/join")).rejects.toMatchObject({ code: "SIM_SENSOR_UNKNOWN" });
});

test("sends a fixed number over many sensors, and goes on after kill -9 of either side without a loss", async () => {
  await joined(8);
  await rig.simulator("POST", "/run", { rate: 120, total: 400 });
  await delay(700);
  await rig.kill("simulator");
  await rig.startSimulator();
  await delay(400);
  await rig.kill("gateway");
  await delay(200);
  await rig.startGateway();
  const [{ sensor_id }] = (await list()) as [ListedSensor];
  await rig.simulator("POST", `/sensors/${sensor_id}/reboot`);
  await done();
  expect(await expectNothingLost()).toHaveLength(400);
  expect((await rig.simulatorCounters()).rejected).toBe(0);
  expect((await list()).every(({ boot_id }) => boot_id >= 2)).toBe(true);
});

test("a rogue radio gets its verdicts from the gateway", async () => {
  const [sensor] = await joined(1);
  const attack = (kind: string) => rig.simulator("POST", "/rogue/sensor", { kind, sensor_id: sensor!.sensor_id });
  await expect(attack("forged")).rejects.toMatchObject({ code: "SIM_NOTHING_CAPTURED" });
  await rig.simulator("POST", `/sensors/${sensor!.sensor_id}/measure`);
  expect(await attack("forged")).toEqual({ code: "4.00", payload: "bad-signature" });
  expect(await attack("replayed")).toEqual({ code: "4.00", payload: "replay" });
  expect(await attack("unknown")).toEqual({ code: "4.00", payload: "unknown-sensor" });
  expect(await attack("malformed")).toEqual({ code: "4.00", payload: "malformed" });
  expect(await attack("duplicate")).toEqual({ code: "2.04", payload: "" });
});

test("a rogue gateway publishes what no gateway should, each with its receipt", async () => {
  const [sensor] = await joined(1);
  await rig.simulator("POST", `/sensors/${sensor!.sensor_id}/measure`);
  const kinds = ["forged", "replayed", "unknown", "malformed", "unknown-key", "decrypt-failed", "bad-payload"];
  const verdicts: Verdict[] = [
    "bad-signature",
    "duplicate",
    "replay",
    "unknown-sensor",
    "malformed",
    "unknown-key",
    "decrypt-failed",
    "bad-payload",
  ];
  const collector = await rig.mqtt("svc-collector");
  collector.on("message", (_, bytes) => {
    const receipt = encodeReceipts([[envelopeDigest(bytes).subarray(0, 16), verdicts.shift() ?? "accepted"]]);
    collector.publish(receiptTopic("gw-rogue"), Buffer.from(receipt), { qos: 1 });
  });
  await collector.subscribeAsync("tk/v1/gw-rogue/up/+", { qos: 1 });
  const receipts = await rig.simulator<{ kind: string; digest: string; verdict: string }[]>("POST", "/rogue/gateway", {
    kinds,
    sensor_id: sensor!.sensor_id,
  });
  expect(receipts.map(({ kind, verdict }) => [kind, verdict])).toEqual([
    ["forged", "bad-signature"],
    ["replayed", "replay"],
    ["unknown", "unknown-sensor"],
    ["malformed", "malformed"],
    ["unknown-key", "unknown-key"],
    ["decrypt-failed", "decrypt-failed"],
    ["bad-payload", "bad-payload"],
  ]);
});
