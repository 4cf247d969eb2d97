import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { decodeEnvelope, FLAG } from "../../../protocol/envelope.ts";
import {
  hpkeDecapsulate,
  importX25519Private,
  keyIdOf,
  openWithSharedSecret,
  TELEMETRY_INFO,
} from "../../../protocol/hpke.ts";
import { createProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import { importP256Point, p256Signer, verifyEnvelopeSignature } from "../../../protocol/signature.ts";
import { createUpdate } from "../../../protocol/update.ts";
import type { CoapClientAnswer } from "../../runtime/coap/client.ts";
import { coapErrors } from "../../runtime/coap/errors.ts";
import {
  makeSoftSecureElement,
  SoftSecureElement,
  softSecureElementFile,
} from "../secure-element/secure-element-soft.ts";
import { type Nvm, openNvm } from "./nvm.ts";
import { openProvisioningPort, type ProvisioningPort } from "./provisioning-port.ts";
import { bootSensor, type Sensor } from "./sensor.ts";

const backend = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pointOf = (key: KeyObject) => key.export({ format: "raw-public" }).toString("hex");
const x25519 = () => {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const raw = publicKey.export({ format: "raw-public" });
  return { raw, id: keyIdOf(raw), open: importX25519Private(privateKey.export({ format: "raw-private" })) };
};
const recipient = x25519();
const NETWORK = {
  network_name: "tk-test",
  channel: 15,
  pan_id: "abcd",
  ext_pan_id: "0011223344556677",
  network_key: "00112233445566778899aabbccddeeff",
  mesh_local_prefix: "fd00:db8::/64",
};
const ACK = { code: "2.04", payload: Buffer.alloc(0) };
const NOW = Date.parse("2026-11-21T12:00:00Z");

let folder: string;
let nvm: Nvm;
let id: string;
let sensor: Sensor;
let sent: Uint8Array[];
let answers: (CoapClientAnswer | "silence")[];
let refusedUpdates: string[];
let port: ProvisioningPort | undefined;

async function boot(): Promise<void> {
  const element = new SoftSecureElement(softSecureElementFile(folder, id));
  const publicKey = String((await element.execute({ command: "public-key" })).public_key);
  sensor = bootSensor({
    id,
    publicKey,
    element,
    nvm,
    now: () => NOW,
    random: Math.random,
    onRefusedUpdate: (_, code) => refusedUpdates.push(code),
    coap: {
      async request({ method, payload }) {
        if (method === "GET") return { code: "2.05", payload: Buffer.from("</tk/v1>") };
        sent.push(payload ?? new Uint8Array());
        const answer = answers.shift() ?? ACK;
        if (answer === "silence") throw coapErrors.error("COAP_NO_ANSWER", "silence");
        return answer;
      },
      close: () => undefined,
    },
  });
}

const signedBundle = (changes: object = {}, key = backend.privateKey) =>
  createProvisioningBundle(
    {
      schema: "trustkern.provisioning/1",
      bundle_id: "00".repeat(16),
      sensor_id: sensor.id,
      public_key: sensor.publicKey,
      issued_at: new Date(NOW).toISOString(),
      backend_key: pointOf(backend.publicKey),
      network: NETWORK,
      gateway: { coap: "coap://127.0.0.1:5683" },
      recipient: [
        {
          key_id: recipient.id.toString("hex"),
          public_key: recipient.raw.toString("hex"),
          not_before: "2026-01-01T00:00:00Z",
        },
      ],
      update_counter: 3,
      ...changes,
    },
    p256Signer(key),
  );

/** Asks the provisioning port each of the questions over one connection. */
async function ask(...questions: (object | string)[]): Promise<Record<string, unknown>[]> {
  const socket = connect(port?.port ?? 0, "127.0.0.1");
  const answers: Record<string, unknown>[] = [];
  for (const question of questions)
    socket.write(`${typeof question === "string" ? question : JSON.stringify(question)}\n`);
  for await (const line of createInterface({ input: socket })) {
    answers.push(JSON.parse(line));
    if (answers.length === questions.length) break;
  }
  socket.destroy();
  return answers;
}

async function provisionAndJoin(): Promise<void> {
  port = await openProvisioningPort(sensor);
  await ask({ op: "provision", bundle: await signedBundle() });
  await sensor.join();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-sensor-"));
  nvm = openNvm(folder);
  id = makeSoftSecureElement(folder);
  nvm.create(id);
  [sent, answers, refusedUpdates, port] = [[], [], [], undefined];
  await boot();
});
afterEach(() => {
  port?.close();
  nvm.close();
  rmSync(folder, { recursive: true });
});

function decoded(bytes: Uint8Array) {
  const result = decodeEnvelope(bytes);
  if (!result.ok) throw new Error(result.reason);
  return result;
}
function plaintextOf(bytes: Uint8Array, key = recipient.open): string | undefined {
  const { envelope, aad } = decoded(bytes);
  const secret = hpkeDecapsulate(key, envelope.ciphertext.subarray(0, 32));
  const opened = openWithSharedSecret(secret, TELEMETRY_INFO, aad, envelope.ciphertext.subarray(32));
  return opened ? Buffer.from(opened).toString() : undefined;
}

it("sends what it measured, sealed to its recipient and signed by its secure element", async () => {
  await provisionAndJoin();
  const { bytes, plaintext, bootId, seq } = await sensor.measure();
  const { envelope, signedBytes } = decoded(bytes);
  expect(
    verifyEnvelopeSignature(importP256Point(Buffer.from(sensor.publicKey, "hex")), signedBytes, envelope.signature),
  ).toBe(true);
  expect(plaintextOf(bytes)).toBe(plaintext);
  expect([envelope.bootId, envelope.seq]).toEqual([bootId, seq]);
  expect(Buffer.from(bytes).includes("temperature_c")).toBe(false);
});

it("does not set its clock before the first answer of a boot", async () => {
  await provisionAndJoin();
  const flagOf = async () => {
    const { timestamp, flags } = decoded((await sensor.measure()).bytes).envelope;
    return [timestamp, flags & FLAG.clockNotSet];
  };
  expect([await flagOf(), await flagOf()]).toEqual([
    [0, 1],
    [NOW, 0],
  ]);
  await sensor.reboot();
  expect(await flagOf()).toEqual([0, 1]);
});

it("grows its boot id at every start, before it sends, and numbers its messages from 1", async () => {
  await provisionAndJoin();
  const first = await sensor.measure();
  await boot();
  const second = await sensor.measure();
  await sensor.reboot();
  const third = await sensor.measure();
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
  await provisionAndJoin();
  answers = [answer, answer];
  const first = await sensor.measure();
  const waiting = await sensor.measure();
  expect(waiting.bytes).toEqual(first.bytes);
  await sensor.measure();
  expect(sent.slice(0, 3).map((bytes) => Buffer.from(bytes).equals(first.bytes))).toEqual([true, true, true]);
  expect(sensor.memory()).toMatchObject({ acknowledged: 2, seq: 2, pending: null });
});

it("sends a message that waited over a restart with the same bytes, in its old boot", async () => {
  await provisionAndJoin();
  answers = ["silence"];
  const { bytes } = await sensor.measure();
  await boot();
  expect(await sensor.resend()).toMatchObject({ bootId: 1, answer: ACK });
  expect(Buffer.from(sent[1] ?? []).equals(bytes)).toBe(true);
  expect(await sensor.resend()).toBeUndefined();
});

it("ends a message at 4.00, and does not write it into the ledger", async () => {
  await provisionAndJoin();
  answers = [{ code: "4.00", payload: Buffer.from("bad-signature") }];
  await sensor.measure();
  expect(sensor.memory()).toMatchObject({ pending: null, rejected: 1, acknowledged: 0 });
  expect(nvm.ledger(0, 10)).toEqual([]);
});

it("writes every acknowledged message into the ledger once, in order", async () => {
  await provisionAndJoin();
  await Promise.all([sensor.measure(), sensor.measure(), sensor.measure()]);
  const ledger = nvm.ledger(0, 10);
  expect(ledger.map(({ id: line, sensor_id, boot_id, seq }) => [line, sensor_id, boot_id, seq])).toEqual([
    [1, id, 1, 1],
    [2, id, 1, 2],
    [3, id, 1, 3],
  ]);
  expect(nvm.ledger(2, 10)).toHaveLength(1);
});

it("cannot join without a bundle, nor send before it has joined", async () => {
  await expect(sensor.join()).rejects.toMatchObject({ code: "SIM_NOT_PROVISIONED" });
  await expect(sensor.measure()).rejects.toMatchObject({ code: "SIM_NOT_JOINED" });
  expect(sent).toEqual([]);
});

it("takes a signed update that is newer, and seals to its key once that is due", async () => {
  await provisionAndJoin();
  const next = x25519();
  const keys = [
    { keyId: recipient.id, publicKey: recipient.raw, notBeforeMs: 0 },
    { keyId: next.id, publicKey: next.raw, notBeforeMs: NOW },
    { keyId: recipient.id, publicKey: recipient.raw, notBeforeMs: NOW + 1 },
  ];
  const update = { sensorId: Buffer.from(id, "hex"), counter: 4, keys, issuedAtMs: NOW };
  answers = [{ code: "2.04", payload: Buffer.from(await createUpdate(update, p256Signer(backend.privateKey))) }];
  await sensor.measure();
  const { bytes, plaintext } = await sensor.measure();
  expect(plaintextOf(bytes, next.open)).toBe(plaintext);
  expect(sensor.memory().updateCounter).toBe(4);
});

it.each([
  ["an old one", { counter: 3 }, backend.privateKey, []],
  ["another sensor's", { sensorId: Buffer.alloc(9) }, backend.privateKey, ["UPDATE_OTHER_SENSOR"]],
  ["a forged one", {}, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, ["UPDATE_BAD_SIGNATURE"]],
])("refuses an update: %s", async (_, changes, key, codes) => {
  await provisionAndJoin();
  const keys = [{ keyId: recipient.id, publicKey: recipient.raw, notBeforeMs: 0 }];
  const update = { sensorId: Buffer.from(id, "hex"), counter: 9, keys, issuedAtMs: NOW, ...changes };
  answers = [{ code: "2.04", payload: Buffer.from(await createUpdate(update, p256Signer(key))) }];
  await sensor.measure();
  expect([sensor.memory().updateCounter, refusedUpdates]).toEqual([3, codes]);
});

it("proves that it holds its key, takes its bundle, and has no open port after that", async () => {
  port = await openProvisioningPort(sensor);
  const [identity, proof, taken] = await ask(
    { op: "identify" },
    { op: "prove", nonce: "ab".repeat(32) },
    { op: "provision", bundle: await signedBundle() },
  );
  expect(identity).toMatchObject({ sensor_id: id, public_key: sensor.publicKey });
  expect([proof?.signature, taken?.activation]).toEqual([
    expect.stringMatching(/^[0-9a-f]{128}$/),
    expect.stringMatching(/^[0-9a-f]{128}$/),
  ]);
  await expect(ask({ op: "identify" })).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(sensor.memory()).toMatchObject({ state: "provisioned", updateCounter: 3 });
});

it("takes one bundle of two that come at once", async () => {
  port = await openProvisioningPort(sensor);
  const bundle = await signedBundle();
  const outcomes = await Promise.allSettled([ask({ op: "provision", bundle }), ask({ op: "provision", bundle })]);
  const taken = outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value[0]?.activation);
  expect(taken).toHaveLength(1);
});

it.each([
  ["that is not JSON", async () => "nonsense"],
  ["of another operation", async () => ({ op: "read-key" })],
  ["with a short nonce", async () => ({ op: "prove", nonce: "00" })],
  ["with a member too many", async () => ({ op: "identify", debug: true })],
])("refuses a provisioning request %s", async (_, make) => {
  port = await openProvisioningPort(sensor);
  const [answer] = await ask(await make());
  expect(answer).toMatchObject({ error: { code: "SIM_PROVISIONING_REFUSED" } });
});

it.each([
  ["for another sensor", { sensor_id: "00".repeat(9) }, backend.privateKey, "PROVISIONING_BUNDLE_OTHER_SENSOR"],
  [
    "for another key",
    { public_key: pointOf(backend.publicKey) },
    backend.privateKey,
    "PROVISIONING_BUNDLE_OTHER_SENSOR",
  ],
  [
    "with a bad signature",
    {},
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
    "PROVISIONING_BUNDLE_INVALID",
  ],
])("refuses a bundle %s, and stays factory-fresh", async (_, changes, key, code) => {
  port = await openProvisioningPort(sensor);
  const [answer] = await ask({ op: "provision", bundle: await signedBundle(changes, key) });
  expect(answer).toMatchObject({ error: { code } });
  expect(sensor.memory().state).toBe("factory");
});
