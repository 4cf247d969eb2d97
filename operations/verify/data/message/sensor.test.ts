import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { decodeEnvelope, encodeFields } from "../../../../protocol/envelope.ts";
import { hpkeDecapsulate, openWithSharedSecret, TELEMETRY_INFO } from "../../../../protocol/hpke.ts";
import { importP256Point, verifyEnvelopeSignature } from "../../../../protocol/signature.ts";
import { enrolSensor, revokeSensors } from "./sensor.ts";

const NOW = new Date("2026-11-22T08:00:00Z");

/** A backend with these recipients and devices, which remembers what it was asked. */
function backend(recipients: readonly object[], devices: readonly object[] = []) {
  const calls: (readonly [string, unknown])[] = [];
  const operator = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    calls.push([`${method} ${path}`, body]);
    if (path === "/v1/recipients") return recipients;
    return path === "/v1/devices" && method === "GET" ? devices : {};
  };
  return { calls, operator };
}

function recipient(notBefore: string) {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const raw = publicKey.export({ format: "raw-public" });
  const shown = { key_id: randomBytes(8).toString("hex"), public_key: raw.toString("hex"), not_before: notBefore };
  return { shown, privateKey };
}

/** The plaintext of an envelope whose signature is the registered sensor's, or undefined where the key does not open it. */
function opened(bytes: Uint8Array, registered: string, key: KeyObject): string | undefined {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok) throw new Error("malformed");
  const { envelope, signedBytes } = decoded;
  const point = importP256Point(Buffer.from(registered, "hex"));
  expect(verifyEnvelopeSignature(point, signedBytes, envelope.signature)).toBe(true);
  const secret = hpkeDecapsulate(key, envelope.ciphertext.subarray(0, 32));
  const plaintext = openWithSharedSecret(
    secret,
    TELEMETRY_INFO,
    encodeFields(envelope, 7),
    envelope.ciphertext.subarray(32),
  );
  return plaintext ? Buffer.from(plaintext).toString() : undefined;
}

it("registers its public key as a verification sensor's, and seals to the newest key that is due", async () => {
  const [old, due, next] = ["2026-01-01", "2026-11-01", "2027-01-01"].map((day) => recipient(`${day}T00:00:00Z`));
  const { calls, operator } = backend([next, due, old].map((each) => each!.shown));
  const sensor = await enrolSensor(operator, randomBytes, NOW);
  const registered = calls.find(([call]) => call === "POST /v1/devices")?.[1] as {
    sensor_id: string;
    public_key: string;
  };
  expect(registered).toMatchObject({ sensor_id: sensor.id, maker: "verification" });
  const bytes = await sensor.seal("plain", NOW);
  expect([old, due, next].map((each) => opened(bytes, registered.public_key, each!.privateKey))).toEqual([
    undefined,
    "plain",
    undefined,
  ]);
});

it("never uses a sequence number twice", async () => {
  const sensor = await enrolSensor(backend([recipient("2026-01-01T00:00:00Z").shown]).operator, randomBytes, NOW);
  const sealed = [await sensor.seal("a", NOW), await sensor.seal("b", NOW)].map((bytes) => decodeEnvelope(bytes));
  expect(sealed.map((decoded) => decoded.ok && decoded.envelope.seq)).toEqual([1, 2]);
});

it.each([
  ["without a key to seal to", []],
  ["whose keys are something else", [{ key: "x" }]],
])("is not registered at a backend %s", async (_, recipients) => {
  const { calls, operator } = backend(recipients);
  await expect(enrolSensor(operator, randomBytes, NOW)).rejects.toThrow();
  expect(calls.map(([call]) => call)).toEqual(["GET /v1/recipients"]);
});

it("revokes every verification sensor that is left, and no other one", async () => {
  const device = (sensor_id: string, maker: string, state: string) => ({ sensor_id, maker, state });
  const { calls, operator } = backend(
    [],
    [
      device("01", "verification", "active"),
      device("02", "acme", "active"),
      device("03", "verification", "revoked"),
      device("04", "verification", "provisioning"),
    ],
  );
  expect(await revokeSensors(operator)).toBe(2);
  expect(calls.slice(1).map(([call]) => call)).toEqual(["POST /v1/devices/01/revoke", "POST /v1/devices/04/revoke"]);
});
