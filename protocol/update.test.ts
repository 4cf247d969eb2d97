import { generateKeyPairSync, randomBytes } from "node:crypto";
import { encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyIdOf } from "./hpke.ts";
import { p256Signer, verifyP256 } from "./signature.ts";
import { createUpdate, type SensorUpdate, UPDATE_MAX_BYTES, UPDATE_MAX_KEYS, verifyUpdate } from "./update.ts";

const backend = generateKeyPairSync("ec", { namedCurve: "P-256" });
const signer = p256Signer(backend.privateKey);
const sensorId = randomBytes(9);
const recipient = () => {
  const publicKey = randomBytes(32);
  return { keyId: keyIdOf(publicKey), publicKey, notBeforeMs: 1_767_225_600_000 };
};
const update: SensorUpdate = { sensorId, counter: 5, keys: [recipient(), recipient()], issuedAtMs: 1_767_225_600_001 };
const bytes = await createUpdate(update, signer);
const verify = (changed: Uint8Array, lastCounter = 4, id: Uint8Array = sensorId) =>
  verifyUpdate({ bytes: changed, backendKey: backend.publicKey, sensorId: id, lastCounter });

/** Signed CBOR of any shape, as only the backend could make it. */
async function signedFields(fields: Map<unknown, unknown>): Promise<Uint8Array> {
  const body = encode(fields, rfc8949EncodeOptions);
  const signature = await signer(Buffer.concat([Buffer.from("trustkern/update/v1\0"), body]));
  return encode(new Map([...fields, [9, signature]]), rfc8949EncodeOptions);
}

const key = (change: object = {}) => {
  const { keyId, publicKey, notBeforeMs } = { ...recipient(), ...change };
  return new Map<number, unknown>([
    [1, keyId],
    [2, publicKey],
    [3, notBeforeMs],
  ]);
};
const fields = (change: readonly (readonly [number, unknown])[] = []) =>
  new Map<unknown, unknown>([[1, 1], [2, sensorId], [3, 5], [4, [key()]], [5, 0], ...change]);

describe("a sensor update", () => {
  it("comes back as it was signed", () =>
    expect(verify(bytes)).toEqual({
      ...update,
      sensorId: Uint8Array.from(sensorId),
      keys: update.keys.map((each) => ({
        ...each,
        keyId: Uint8Array.from(each.keyId),
        publicKey: Uint8Array.from(each.publicKey),
      })),
    }));

  it("has the bytes and the domain of the specification", () => {
    const expected = new Map<unknown, unknown>([
      [1, 1],
      [2, sensorId],
      [3, 5],
      [
        4,
        update.keys.map(
          ({ keyId, publicKey, notBeforeMs }) =>
            new Map<number, unknown>([
              [1, keyId],
              [2, publicKey],
              [3, notBeforeMs],
            ]),
        ),
      ],
      [5, update.issuedAtMs],
    ]);
    const body = Buffer.from(encode(expected, rfc8949EncodeOptions));
    expect(Buffer.from(bytes.subarray(1, body.length))).toEqual(body.subarray(1));
    const signed = Buffer.concat([Buffer.from("trustkern/update/v1\0"), body]);
    expect(verifyP256(backend.publicKey, signed, bytes.subarray(-64))).toBe(true);
  });

  it("fits one CoAP block with as many keys as it may have", async () => {
    const keys = Array.from({ length: UPDATE_MAX_KEYS }, recipient);
    const largest = await createUpdate({ ...update, counter: Number.MAX_SAFE_INTEGER, keys }, signer);
    expect(largest.length).toBeLessThanOrEqual(UPDATE_MAX_BYTES);
    expect(verify(largest).keys).toHaveLength(UPDATE_MAX_KEYS);
  });

  it.each([5, 6])("is refused after counter %i", (lastCounter) => {
    expect(() => verify(bytes, lastCounter)).toThrow(expect.objectContaining({ code: "UPDATE_ROLLBACK" }));
  });

  it("is refused by another sensor", () => {
    expect(() => verify(bytes, 4, randomBytes(9))).toThrow(expect.objectContaining({ code: "UPDATE_OTHER_SENSOR" }));
  });

  it("is refused when anyone else signed it", async () => {
    const forged = await createUpdate(
      update,
      p256Signer(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
    );
    expect(() => verify(forged)).toThrow(expect.objectContaining({ code: "UPDATE_BAD_SIGNATURE" }));
  });

  it("is refused once any of its bits is turned, or any of its end is cut", () => {
    const refused = expect.objectContaining({ code: expect.stringMatching(/^UPDATE_(MALFORMED|BAD_SIGNATURE)$/) });
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const turned = Uint8Array.from(bytes);
        turned[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => verify(turned)).toThrow(refused);
        expect(() => verify(bytes.subarray(0, bit >> 3))).toThrow(refused);
      }),
    );
  });

  it("that the backend signed in the form of the specification is taken", async () => {
    expect(verify(await signedFields(fields())).counter).toBe(5);
  });

  it.each<[string, Map<unknown, unknown>]>([
    ["version 2", fields([[1, 2]])],
    ["a short sensor id", fields([[2, randomBytes(8)]])],
    ["counter 0", fields([[3, 0]])],
    ["a negative counter", fields([[3, -1]])],
    ["a counter of 2^53", fields([[3, 2n ** 53n]])],
    ["no keys", fields([[4, []]])],
    ["too many keys", fields([[4, Array.from({ length: UPDATE_MAX_KEYS + 1 }, () => key())]])],
    ["keys that are no array", fields([[4, key()]])],
    ["a key that is no map", fields([[4, [[randomBytes(8), randomBytes(32), 0]]]])],
    ["another key's id", fields([[4, [key({ keyId: randomBytes(8) })]]])],
    ["a public key of 33 bytes", fields([[4, [key({ publicKey: randomBytes(33) })]]])],
    ["a notBefore as text", fields([[4, [key({ notBeforeMs: "now" })]]])],
    ["a key with a fourth member", fields([[4, [new Map([...key(), [4, 0]])]]])],
    ["an issued_at of half a millisecond", fields([[5, 0.5]])],
    ["a sixth member", fields([[6, 0]])],
    ["a member less", new Map([...fields()].slice(0, 4))],
  ])("is malformed with %s, even when signed", async (_, content) => {
    const signed = await signedFields(content);
    expect(() => verify(signed)).toThrow(expect.objectContaining({ code: "UPDATE_MALFORMED" }));
  });

  it.each([
    ["empty", Buffer.alloc(0)],
    ["no map", Buffer.of(0)],
    ["not signed", Buffer.from(encode(fields(), rfc8949EncodeOptions))],
    ["too long", Buffer.alloc(UPDATE_MAX_BYTES + 1)],
    ["out of order", Buffer.concat([Buffer.of(0xa2, 9, 0x40, 1, 1)])],
  ])("is malformed when it is %s", (_, content) => {
    expect(() => verify(content)).toThrow(expect.objectContaining({ code: "UPDATE_MALFORMED" }));
  });

  it("is not made with what would be refused", async () => {
    await expect(createUpdate({ ...update, counter: 0 }, signer)).rejects.toMatchObject({ code: "UPDATE_MALFORMED" });
    await expect(createUpdate({ ...update, keys: [] }, signer)).rejects.toMatchObject({ code: "UPDATE_MALFORMED" });
  });
});
