import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeEnvelope, encodeFields } from "./envelope.ts";
import { hpkeSeal, keyIdOf, TELEMETRY_INFO } from "./hpke.ts";
import { judgeContent, judgeOrigin, type SensorTrust } from "./judge.ts";
import { p256Signer, signEnvelope } from "./signature.ts";

const device = generateKeyPairSync("ec", { namedCurve: "P-256" });
const recipient = generateKeyPairSync("x25519");
const recipientPublic = recipient.publicKey.export({ format: "raw-public" });
const key = { keyId: keyIdOf(recipientPublic).toString("hex"), privateKey: recipient.privateKey };
const header = {
  version: 1,
  sensorId: Buffer.alloc(9, 7),
  bootId: 1,
  seq: 1,
  timestamp: 0,
  flags: 1,
  keyId: keyIdOf(recipientPublic),
};
const known = (): SensorTrust => ({ kind: "known", publicKey: device.publicKey });

/** Signs an envelope around whatever stands for `enc` and the AEAD ciphertext. */
async function envelopeWith(ciphertext: Uint8Array): Promise<Uint8Array> {
  return signEnvelope({ ...header, ciphertext }, p256Signer(device.privateKey));
}

const { enc, ciphertext } = hpkeSeal(
  recipientPublic,
  TELEMETRY_INFO,
  encodeFields(header, 7),
  Buffer.from('{"fw":"0.2.1"}'),
);

async function content(sealed: Uint8Array) {
  const decoded = decodeEnvelope(await envelopeWith(sealed));
  if (!decoded.ok) throw new Error(decoded.reason);
  return judgeContent(decoded, key);
}

describe("an envelope that we made", () => {
  it("passes every check", async () => {
    const bytes = await envelopeWith(Buffer.concat([enc, ciphertext]));
    expect(judgeOrigin(bytes, known)).toMatchObject({ ok: true, sensorId: "07".repeat(9) });
    expect(await content(Buffer.concat([enc, ciphertext]))).toMatchObject({ ok: true, text: '{"fw":"0.2.1"}' });
  });

  it("is judged by the allowlist before its signature is looked at", async () => {
    const forged = Uint8Array.from(await envelopeWith(Buffer.concat([enc, ciphertext])));
    forged[forged.length - 1]! ^= 1;
    expect(judgeOrigin(forged, () => ({ kind: "unknown" }))).toMatchObject({ verdict: "unknown-sensor" });
    expect(judgeOrigin(forged, () => ({ kind: "revoked" }))).toMatchObject({ verdict: "revoked-sensor" });
    expect(judgeOrigin(forged, known)).toMatchObject({ verdict: "bad-signature" });
  });

  it.each([
    ["zero", Buffer.alloc(32)],
    ["one", Buffer.concat([Buffer.of(1), Buffer.alloc(31)])],
    ["p", Buffer.from(`ed${"ff".repeat(30)}7f`, "hex")],
  ])("fails to decrypt with an encapsulated key of low order: %s", async (_, lowOrder) => {
    expect(await content(Buffer.concat([lowOrder, ciphertext]))).toMatchObject({ verdict: "decrypt-failed" });
  });

  it("has a bad payload, not a failed decryption, when an empty plaintext was sealed", async () => {
    const empty = hpkeSeal(recipientPublic, TELEMETRY_INFO, encodeFields(header, 7), Buffer.alloc(0));
    expect(await content(Buffer.concat([empty.enc, empty.ciphertext]))).toMatchObject({ verdict: "bad-payload" });
  });
});
