import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { pointOf, SensorRig } from "./sensor-test-rig.ts";

const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
let rig: SensorRig;

beforeEach(async () => {
  rig = new SensorRig();
  await rig.boot();
});
afterEach(() => rig.close());

it("proves that it holds its key, takes its bundle, and has no open port after that", async () => {
  await rig.openPort();
  const [identity, proof, taken] = await rig.ask(
    { op: "identify" },
    { op: "prove", nonce: "ab".repeat(32) },
    { op: "provision", bundle: await rig.signedBundle() },
  );
  expect(identity).toMatchObject({ sensor_id: rig.id, public_key: rig.sensor.publicKey });
  expect([proof?.signature, taken?.activation]).toEqual([
    expect.stringMatching(/^[0-9a-f]{128}$/),
    expect.stringMatching(/^[0-9a-f]{128}$/),
  ]);
  await expect(rig.ask({ op: "identify" })).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(rig.sensor.memory()).toMatchObject({ state: "provisioned", updateCounter: 3 });
});

it("takes one bundle of two that come at once", async () => {
  await rig.openPort();
  const bundle = await rig.signedBundle();
  const outcomes = await Promise.allSettled([
    rig.ask({ op: "provision", bundle }),
    rig.ask({ op: "provision", bundle }),
  ]);
  const taken = outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value[0]?.activation);
  expect(taken).toHaveLength(1);
});

it("answers many requests of one connection in their order", async () => {
  await rig.openPort();
  const asked = [...Array(500)].map((_, n) => (n % 2 === 0 ? { op: "identify" } : "nonsense"));
  const answers = await rig.ask(...asked);
  expect(answers.map((answer) => "sensor_id" in answer)).toEqual(asked.map((_, n) => n % 2 === 0));
});

it("reads no further than it answers: a client that does not read is not read either", async () => {
  await rig.openPort();
  const client = rig.connect();
  client.pause().on("error", () => undefined);
  let taken = 0;
  for (let quiet = 0; quiet < 20; quiet++) {
    if (client.writableLength === 0) {
      client.write("{}\n".repeat(20_000), () => {
        taken += 1;
        quiet = 0;
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (taken > 1000) break;
  }
  expect(client.writableLength).toBeGreaterThan(0);
  expect(taken).toBeLessThan(1000);
  client.destroy();
  expect(await rig.ask({ op: "identify" })).toMatchObject([{ sensor_id: rig.id }]);
});

it("ends a connection whose line does not end", async () => {
  await rig.openPort();
  const client = rig.connect();
  const closed = new Promise((resolve) => client.on("error", () => undefined).on("close", resolve));
  client.resume().write("x".repeat(200_000));
  await closed;
});

it.each([
  ["that is not JSON", async () => "nonsense"],
  ["of another operation", async () => ({ op: "read-key" })],
  ["with a short nonce", async () => ({ op: "prove", nonce: "00" })],
  ["with a member too many", async () => ({ op: "identify", debug: true })],
])("refuses a provisioning request %s", async (_, make) => {
  await rig.openPort();
  const [answer] = await rig.ask(await make());
  expect(answer).toMatchObject({ error: { code: "SIM_PROVISIONING_REFUSED" } });
});

it.each([
  ["for another sensor", { sensor_id: "00".repeat(9) }, undefined, "PROVISIONING_BUNDLE_OTHER_SENSOR"],
  ["for another key", { public_key: pointOf(stranger.publicKey) }, undefined, "PROVISIONING_BUNDLE_OTHER_SENSOR"],
  ["with a bad signature", {}, stranger.privateKey, "PROVISIONING_BUNDLE_INVALID"],
])("refuses a bundle %s, and stays factory-fresh", async (_, changes, key, code) => {
  await rig.openPort();
  const [answer] = await rig.ask({ op: "provision", bundle: await rig.signedBundle(changes, key) });
  expect(answer).toMatchObject({ error: { code } });
  expect(rig.sensor.memory().state).toBe("factory");
});
