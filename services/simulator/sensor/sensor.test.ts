import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { decodeEnvelope, FLAG } from "../../../protocol/envelope.ts";
import { hpkeDecapsulate, openWithSharedSecret, TELEMETRY_INFO } from "../../../protocol/hpke.ts";
import { importP256Point, p256Signer, verifyEnvelopeSignature } from "../../../protocol/signature.ts";
import { createUpdate, type SensorUpdate } from "../../../protocol/update.ts";
import { ACK, makeRecipient, NOW, SensorRig } from "./sensor-test-rig.ts";

let rig: SensorRig;

beforeEach(async () => {
  rig = new SensorRig();
  await rig.boot();
});
afterEach(() => rig.close());

function decoded(bytes: Uint8Array) {
  const result = decodeEnvelope(bytes);
  if (!result.ok) throw new Error(result.reason);
  return result;
}
function plaintextOf(bytes: Uint8Array, key = rig.recipient.open): string | undefined {
  const { envelope, aad } = decoded(bytes);
  const secret = hpkeDecapsulate(key, envelope.ciphertext.subarray(0, 32));
  const opened = openWithSharedSecret(secret, TELEMETRY_INFO, aad, envelope.ciphertext.subarray(32));
  return opened ? Buffer.from(opened).toString() : undefined;
}

it("sends what it measured, sealed to its recipient and signed by its secure element", async () => {
  await rig.provisionAndJoin();
  const { bytes, plaintext, bootId, seq } = await rig.sensor.measure();
  const { envelope, signedBytes } = decoded(bytes);
  expect(
    verifyEnvelopeSignature(importP256Point(Buffer.from(rig.sensor.publicKey, "hex")), signedBytes, envelope.signature),
  ).toBe(true);
  expect(plaintextOf(bytes)).toBe(plaintext);
  expect([envelope.bootId, envelope.seq]).toEqual([bootId, seq]);
  expect(Buffer.from(bytes).includes("temperature_c")).toBe(false);
});

it("does not set its clock before the first answer of a boot", async () => {
  await rig.provisionAndJoin();
  const flagOf = async () => {
    const { timestamp, flags } = decoded((await rig.sensor.measure()).bytes).envelope;
    return [timestamp, flags & FLAG.clockNotSet];
  };
  expect([await flagOf(), await flagOf()]).toEqual([
    [0, 1],
    [NOW, 0],
  ]);
  await rig.sensor.reboot();
  expect(await flagOf()).toEqual([0, 1]);
});

it("grows its boot id at every start, before it sends, and numbers its messages from 1", async () => {
  await rig.provisionAndJoin();
  const first = await rig.sensor.measure();
  await rig.boot();
  const second = await rig.sensor.measure();
  await rig.sensor.reboot();
  const third = await rig.sensor.measure();
  expect([first, second, third].map(({ bootId, seq }) => [bootId, seq])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
});

it.each([
  ["silence", "silence"],
  ["5.03", { code: "5.03", payload: Buffer.from("spool-full") }],
  ["5.00", { code: "5.00", payload: Buffer.alloc(0) }],
] as const)("keeps a message at %s, and sends the same bytes before any other", async (_, answer) => {
  await rig.provisionAndJoin();
  rig.answers = [answer, answer];
  const first = await rig.sensor.measure();
  const waiting = await rig.sensor.measure();
  expect(waiting.bytes).toEqual(first.bytes);
  await rig.sensor.measure();
  expect(rig.sent.slice(0, 3).map((bytes) => Buffer.from(bytes).equals(first.bytes))).toEqual([true, true, true]);
  expect(rig.sensor.memory()).toMatchObject({ acknowledged: 2, seq: 2, pending: null });
});

it("sends a message that waited over a restart with the same bytes, in its old boot", async () => {
  await rig.provisionAndJoin();
  rig.answers = ["silence"];
  const { bytes } = await rig.sensor.measure();
  await rig.boot();
  expect(await rig.sensor.resend()).toMatchObject({ bootId: 1, answer: ACK });
  expect(Buffer.from(rig.sent[1] ?? []).equals(bytes)).toBe(true);
  expect(await rig.sensor.resend()).toBeUndefined();
});

it("ends a message at 4.00, and does not write it into the ledger", async () => {
  await rig.provisionAndJoin();
  rig.answers = [{ code: "4.00", payload: Buffer.from("bad-signature") }];
  await rig.sensor.measure();
  expect(rig.sensor.memory()).toMatchObject({ pending: null, rejected: 1, acknowledged: 0 });
  expect(rig.nvm.ledger(0, 10)).toEqual([]);
});

it("writes every acknowledged message into the ledger once, in order", async () => {
  await rig.provisionAndJoin();
  await Promise.all([rig.sensor.measure(), rig.sensor.measure(), rig.sensor.measure()]);
  const ledger = rig.nvm.ledger(0, 10);
  expect(ledger.map(({ id: line, sensor_id, boot_id, seq }) => [line, sensor_id, boot_id, seq])).toEqual([
    [1, rig.id, 1, 1],
    [2, rig.id, 1, 2],
    [3, rig.id, 1, 3],
  ]);
  expect(rig.nvm.ledger(2, 10)).toHaveLength(1);
});

it("cannot join without a bundle, nor send before it has joined", async () => {
  await expect(rig.sensor.join()).rejects.toMatchObject({ code: "SIM_NOT_PROVISIONED" });
  await expect(rig.sensor.measure()).rejects.toMatchObject({ code: "SIM_NOT_JOINED" });
  expect(rig.sent).toEqual([]);
});

it("takes a signed update that is newer, and seals to its key once that is due", async () => {
  await rig.provisionAndJoin();
  const next = makeRecipient();
  const keys = [
    { keyId: rig.recipient.id, publicKey: rig.recipient.raw, notBeforeMs: 0 },
    { keyId: next.id, publicKey: next.raw, notBeforeMs: NOW },
    { keyId: rig.recipient.id, publicKey: rig.recipient.raw, notBeforeMs: NOW + 1 },
  ];
  const update = { sensorId: Buffer.from(rig.id, "hex"), counter: 4, keys, issuedAtMs: NOW };
  rig.answers = [
    { code: "2.04", payload: Buffer.from(await createUpdate(update, p256Signer(rig.backend.privateKey))) },
  ];
  await rig.sensor.measure();
  const { bytes, plaintext } = await rig.sensor.measure();
  expect(plaintextOf(bytes, next.open)).toBe(plaintext);
  expect(rig.sensor.memory().updateCounter).toBe(4);
});

const updateOf = (changes: Partial<SensorUpdate> = {}, key = rig.backend.privateKey): Promise<Uint8Array> => {
  const keys = [{ keyId: rig.recipient.id, publicKey: rig.recipient.raw, notBeforeMs: 0 }];
  const update = { sensorId: Buffer.from(rig.id, "hex"), counter: 9, keys, issuedAtMs: NOW, ...changes };
  return createUpdate(update, p256Signer(key));
};
/** Measures once, and the gateway hands that update over with its answer. */
async function handOver(update: Uint8Array): Promise<void> {
  rig.answers = [{ code: "2.04", payload: Buffer.from(update) }];
  await rig.sensor.measure();
}

it.each<[string, Partial<SensorUpdate>, KeyObject | undefined, string[]]>([
  ["older than its bundle", { counter: 2 }, undefined, []],
  ["as old as its bundle", { counter: 3 }, undefined, []],
  ["of another sensor", { sensorId: Buffer.alloc(9) }, undefined, ["UPDATE_OTHER_SENSOR"]],
  [
    "signed by another key",
    {},
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
    ["UPDATE_BAD_SIGNATURE"],
  ],
])("refuses an update %s, and keeps its keys", async (_, changes, key, codes) => {
  await rig.provisionAndJoin();
  const before = rig.sensor.memory().recipients;
  const stranger = makeRecipient();
  const keys = [{ keyId: stranger.id, publicKey: stranger.raw, notBeforeMs: 0 }];
  await handOver(await updateOf({ keys, ...changes }, key));
  expect(rig.refusedUpdates).toEqual(codes);
  expect(rig.sensor.memory()).toMatchObject({ updateCounter: 3, recipients: before });
});

it("seals nothing to a key that its gateway has put in, and sends on to custody's", async () => {
  await rig.provisionAndJoin();
  const gateway = makeRecipient();
  const keys = [{ keyId: gateway.id, publicKey: gateway.raw, notBeforeMs: 0 }];
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const genuine = await updateOf();
  const swapped = Buffer.from(genuine);
  swapped.set(gateway.raw, swapped.indexOf(rig.recipient.raw));
  for (const update of [await updateOf({ keys }, own), swapped]) {
    await handOver(update);
    const { bytes, plaintext } = await rig.sensor.measure();
    expect(Buffer.from(decoded(bytes).envelope.keyId)).toEqual(rig.recipient.id);
    expect([plaintextOf(bytes), plaintextOf(bytes, gateway.open)]).toEqual([plaintext, undefined]);
  }
  expect(rig.refusedUpdates).toEqual(["UPDATE_BAD_SIGNATURE", "UPDATE_MALFORMED"]);
});

it("goes on with the key that it has for as long as a gateway holds its update back, and takes it whenever it comes", async () => {
  await rig.provisionAndJoin();
  const next = makeRecipient();
  const held = await updateOf({ keys: [{ keyId: next.id, publicKey: next.raw, notBeforeMs: 0 }] });
  for (let messages = 0; messages < 3; messages += 1) {
    const { bytes, plaintext } = await rig.sensor.measure();
    expect(plaintextOf(bytes)).toBe(plaintext);
  }
  await handOver(held);
  const { bytes, plaintext } = await rig.sensor.measure();
  expect([plaintextOf(bytes), plaintextOf(bytes, next.open)]).toEqual([undefined, plaintext]);
});

it.each([
  ["older", 8],
  ["of the same counter", 9],
])("does not go back to an update that is %s, not even after a restart", async (_, counter) => {
  await rig.provisionAndJoin();
  const next = makeRecipient();
  await handOver(await updateOf({ keys: [{ keyId: next.id, publicKey: next.raw, notBeforeMs: 0 }] }));
  await handOver(await updateOf({ counter }));
  await rig.boot();
  await handOver(await updateOf({ counter }));
  expect(rig.sensor.memory().updateCounter).toBe(9);
  const { bytes, plaintext } = await rig.sensor.measure();
  expect(plaintextOf(bytes, next.open)).toBe(plaintext);
});
