import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeEnvelope } from "./envelope.ts";
import { importP256Point, p256Signer, signEnvelope, verifyEnvelopeSignature, verifyP256 } from "./signature.ts";

interface EcdsaCase {
  readonly tcId: number;
  readonly comment: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: "valid" | "invalid" | "acceptable";
  readonly point: string;
}

const file = new URL("../test/fixtures/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", import.meta.url);
const wycheproof: {
  numberOfTests: number;
  testGroups: { publicKey: { uncompressed: string }; tests: Omit<EcdsaCase, "point">[] }[];
} = JSON.parse(readFileSync(file, "utf8"));
const cases: EcdsaCase[] = wycheproof.testGroups.flatMap(({ publicKey, tests }) =>
  tests.map((test) => ({ ...test, point: publicKey.uncompressed })),
);
const hex = (text: string) => Buffer.from(text, "hex");
const verifies = ({ point, msg, sig }: EcdsaCase) => verifyP256(importP256Point(hex(point)), hex(msg), hex(sig));

describe("ECDSA P-256 with SHA-256", () => {
  it("runs every case of Wycheproof's file, none of which is merely acceptable", () => {
    expect(cases).toHaveLength(wycheproof.numberOfTests);
    expect(cases.filter(({ result }) => result === "acceptable")).toEqual([]);
  });

  it.each(cases.filter(({ result }) => result === "valid"))("accepts Wycheproof $tcId $comment", (test) => {
    expect(verifies(test)).toBe(true);
  });

  it.each(cases.filter(({ result }) => result === "invalid"))("rejects Wycheproof $tcId $comment", (test) => {
    expect(verifies(test)).toBe(false);
  });

  it.each([0, 1, 63, 65, 70, 128])("rejects a signature of %i bytes", (length) => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(verifyP256(publicKey, Buffer.of(1), Buffer.alloc(length, 1))).toBe(false);
  });
});

describe("a P-256 point", () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const point = publicKey.export({ format: "raw-public", type: "uncompressed" });

  it("is read in its uncompressed form", () => expect(importP256Point(point).equals(publicKey)).toBe(true));

  it.each([
    ["empty", Buffer.alloc(0)],
    ["the point at infinity", Buffer.of(0)],
    ["compressed", publicKey.export({ format: "raw-public", type: "compressed" })],
    ["hybrid", Buffer.concat([Buffer.of(6 | (point[64]! & 1)), point.subarray(1)])],
    ["cut", point.subarray(0, 64)],
    ["longer", Buffer.concat([point, Buffer.of(0)])],
    ["without its first byte", point.subarray(1)],
    ["at the origin", Buffer.concat([Buffer.of(4), Buffer.alloc(64)])],
    ["beyond the field", Buffer.concat([Buffer.of(4), Buffer.alloc(64, 0xff)])],
  ])("is refused when %s", (_, bytes) => {
    expect(() => importP256Point(bytes)).toThrow(expect.objectContaining({ code: "PROTOCOL_BAD_POINT" }));
  });

  it("is refused when off the curve", () => {
    const moved = Buffer.from(point);
    moved[64]! ^= 1;
    expect(() => importP256Point(moved)).toThrow(expect.objectContaining({ code: "PROTOCOL_BAD_POINT" }));
  });
});

describe("an envelope's signature", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const unsigned = {
    version: 1,
    sensorId: randomBytes(9),
    bootId: 1,
    seq: 2,
    timestamp: 3,
    flags: 0,
    keyId: randomBytes(8),
    ciphertext: randomBytes(100),
  };

  it("verifies over the decoded bytes, with a signer that answers later too", async () => {
    for (const signer of [p256Signer(privateKey), async (data: Uint8Array) => p256Signer(privateKey)(data)]) {
      const decoded = decodeEnvelope(await signEnvelope(unsigned, signer));
      if (!decoded.ok) throw new Error(decoded.reason);
      expect(verifyEnvelopeSignature(publicKey, decoded.signedBytes, decoded.envelope.signature)).toBe(true);
    }
  });

  it("does not verify without the domain string", async () => {
    const decoded = decodeEnvelope(await signEnvelope(unsigned, p256Signer(privateKey)));
    if (!decoded.ok) throw new Error(decoded.reason);
    const bare = decoded.signedBytes.subarray("trustkern/envelope/v1\0".length);
    expect(verifyEnvelopeSignature(publicKey, bare, decoded.envelope.signature)).toBe(false);
  });

  it("is refused at signing when the signer gives DER", async () => {
    const der = Buffer.alloc(71, 0x30);
    await expect(signEnvelope(unsigned, () => der)).rejects.toMatchObject({
      code: "PROTOCOL_BAD_FIELD",
      path: "signature",
    });
  });

  it("of the vectors' device key is made by the key that the vectors publish", () => {
    const vectors = JSON.parse(readFileSync(new URL("../test/fixtures/envelope-v1.json", import.meta.url), "utf8"));
    const key = hex(vectors.signing_key_for_tests);
    const ours = createPrivateKey({ key, format: "raw-private", asymmetricKeyType: "ec", namedCurve: "P-256" });
    expect(createPublicKey(ours).equals(importP256Point(hex(vectors.allowlist[0].public_key)))).toBe(true);
  });
});
