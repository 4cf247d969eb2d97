import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { bytesOfHex, hexOf } from "../../protocol/hex.ts";
import { keyIdOf } from "../../protocol/hpke.ts";
import { activationBytes, proofBytes } from "../../protocol/provisioning.ts";
import { verifyProvisioningBundle } from "../../protocol/provisioning-bundle.ts";
import { p256Signer, type Signer } from "../../protocol/signature.ts";
import { CHALLENGE_LIFETIME_MS, createProvisioning, type Provisioning } from "./provisioning.ts";
import { allowlistVersion } from "./registry/allowlist-version.ts";
import { openDatabase } from "./registry/database.ts";
import { createDevices, type Devices } from "./registry/devices.ts";
import { createRecipients } from "./registry/recipients.ts";

const thrown = (code: string): unknown => expect.objectContaining({ code });
const place = {
  network: {
    network_name: "trustkern",
    channel: 15,
    pan_id: "7472",
    ext_pan_id: "7472757374000001",
    network_key: "00".repeat(16),
    mesh_local_prefix: "fd00:7472:7573:746b::/64",
  },
  gateway: { coap: "coap://127.0.0.1:5683" },
};

interface Pair {
  readonly publicKey: string;
  readonly sign: Signer;
}

function pair(): Pair {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { publicKey: hexOf(publicKey.export({ format: "raw-public" })), sign: p256Signer(privateKey) };
}

const sensorId = "61c07083425764d982";
let nowMs: number;
let provisioning: Provisioning;
let devices: Devices;
let version: () => number;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  const db = openDatabase(mkdtempSync(join(tmpdir(), "tk-provisioning-")));
  const now = (): number => nowMs;
  const recipients = createRecipients(db);
  const publicKey = new Uint8Array(32).fill(9);
  const not_before = "2026-01-01T00:00:00.000Z";
  recipients.replace([{ key_id: hexOf(keyIdOf(publicKey)), public_key: hexOf(publicKey), not_before }]);
  const backend = pair();
  const key = { publicKey: backend.publicKey, signerFor: () => backend.sign };
  provisioning = createProvisioning({ db, key, recipients, place, now });
  devices = createDevices(db, now);
  version = () => allowlistVersion(db);
});

async function answer(sensor: Pair, { challengeId, nonce }: { challengeId: string; nonce: string }, id = sensorId) {
  const proof = { sensorId: bytesOfHex(id), publicKey: bytesOfHex(sensor.publicKey), nonce: bytesOfHex(nonce) };
  const signature = hexOf(await sensor.sign(proofBytes(proof)));
  return { challengeId, sensorId: id, publicKey: sensor.publicKey, maker: "acme", model: "tk-1", signature };
}

async function issue(sensor: Pair): Promise<string> {
  const dsse = await provisioning.bundle(await answer(sensor, provisioning.challenge(sensorId)));
  return verifyProvisioningBundle({ dsse, sensorId, publicKey: sensor.publicKey }).bundle_id;
}

async function activation(sensor: Pair, bundleId: string) {
  const signed = activationBytes({ sensorId: bytesOfHex(sensorId), bundleId: bytesOfHex(bundleId) });
  return { bundleId, sensorId, signature: hexOf(await sensor.sign(signed)) };
}

it("puts a sensor on the allowlists with its activation, and not before", async () => {
  const sensor = pair();
  const bundleId = await issue(sensor);
  expect(devices.list()[0]?.state).toBe("provisioning");
  expect(version()).toBe(0);
  expect(provisioning.activate(await activation(sensor, bundleId))).toMatchObject({ state: "active" });
  expect(devices.list()[0]?.state).toBe("active");
  expect(version()).toBe(1);
});

it("takes a challenge in its last millisecond and not after", async () => {
  const [inTime, late] = [provisioning.challenge(sensorId), provisioning.challenge(sensorId)];
  const sensor = pair();
  nowMs += CHALLENGE_LIFETIME_MS - 1;
  await provisioning.bundle(await answer(sensor, inTime));
  nowMs += 1;
  await expect(provisioning.bundle(await answer(sensor, late))).rejects.toEqual(
    thrown("PROVISIONING_CHALLENGE_EXPIRED"),
  );
});

it("refuses a challenge that it did not give, or gave for another sensor", async () => {
  const sensor = pair();
  const challenge = provisioning.challenge(sensorId);
  for (const request of [
    await answer(sensor, { ...challenge, challengeId: "00".repeat(16) }),
    await answer(sensor, challenge, "00".repeat(9)),
  ])
    await expect(provisioning.bundle(request)).rejects.toEqual(thrown("PROVISIONING_CHALLENGE_UNKNOWN"));
});

it("refuses the second use of a challenge, also at the same time", async () => {
  const request = await answer(pair(), provisioning.challenge(sensorId));
  const results = await Promise.allSettled([provisioning.bundle(request), provisioning.bundle(request)]);
  expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  await expect(provisioning.bundle(request)).rejects.toEqual(thrown("PROVISIONING_CHALLENGE_USED"));
});

it("refuses a proof by another key, and registers nothing", async () => {
  const challenge = provisioning.challenge(sensorId);
  const request = { ...(await answer(pair(), challenge)), publicKey: pair().publicKey };
  await expect(provisioning.bundle(request)).rejects.toEqual(thrown("PROVISIONING_PROOF_INVALID"));
  expect(devices.list()).toEqual([]);
});

it("voids the older bundle when it issues a newer one", async () => {
  const sensor = pair();
  const [older, newer] = [await issue(sensor), await issue(sensor)];
  const late = await activation(sensor, older);
  expect(() => provisioning.activate(late)).toThrow(thrown("PROVISIONING_BUNDLE_SUPERSEDED"));
  provisioning.activate(await activation(sensor, newer));
});

it("activates a bundle once", async () => {
  const sensor = pair();
  const request = await activation(sensor, await issue(sensor));
  provisioning.activate(request);
  expect(() => provisioning.activate(request)).toThrow(thrown("PROVISIONING_BUNDLE_USED"));
  expect(version()).toBe(1);
});

it("refuses an activation by another key, and the sensor's own still counts", async () => {
  const sensor = pair();
  const bundleId = await issue(sensor);
  const forged = await activation(pair(), bundleId);
  expect(() => provisioning.activate(forged)).toThrow(thrown("PROVISIONING_ACTIVATION_INVALID"));
  provisioning.activate(await activation(sensor, bundleId));
});

it("refuses the activation of a bundle that it did not issue", async () => {
  const sensor = pair();
  await issue(sensor);
  const request = await activation(sensor, "00".repeat(16));
  expect(() => provisioning.activate(request)).toThrow(thrown("PROVISIONING_BUNDLE_UNKNOWN"));
});

it("begins no second provisioning of a sensor that is active, or revoked", async () => {
  const sensor = pair();
  const open = provisioning.challenge(sensorId);
  provisioning.activate(await activation(sensor, await issue(sensor)));
  expect(() => provisioning.challenge(sensorId)).toThrow(thrown("PROVISIONING_SENSOR_ACTIVE"));
  const early = await answer(sensor, open);
  await expect(provisioning.bundle(early)).rejects.toEqual(thrown("PROVISIONING_SENSOR_ACTIVE"));
  devices.revoke(sensorId);
  expect(() => provisioning.challenge(sensorId)).toThrow(thrown("DEVICE_REVOKED"));
});

it("refuses the activation of a sensor that was revoked in between", async () => {
  const sensor = pair();
  const request = await activation(sensor, await issue(sensor));
  devices.revoke(sensorId);
  expect(() => provisioning.activate(request)).toThrow(thrown("DEVICE_REVOKED"));
});
