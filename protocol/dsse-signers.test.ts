import { generateKeyPairSync, sign } from "node:crypto";
import { ECDSASigValue } from "@peculiar/asn1-ecc";
import { AsnConvert } from "@peculiar/asn1-schema";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { preAuthenticationEncoding } from "./dsse.ts";
import { judgeSignatures } from "./dsse-signers.ts";
import { isLowS, toLowS } from "./low-s.ts";
import { verifyP256 } from "./signature.ts";

const TYPE = "application/vnd.test+json";
const ORDER = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const one = generateKeyPairSync("ec", { namedCurve: "P-256" });
const two = generateKeyPairSync("ec", { namedCurve: "P-256" });
const payload = Buffer.from('{"a":1}');
const keys = new Map([
  ["one", one.publicKey],
  ["two", two.publicKey],
]);
const signed = preAuthenticationEncoding(TYPE, payload);
const plainBy = (key = one.privateKey) => sign("sha256", signed, { key, dsaEncoding: "ieee-p1363" });
const derOf = (plain: Uint8Array) => {
  const value = new ECDSASigValue();
  const integer = (bytes: Uint8Array) => new Uint8Array([0, ...bytes]).buffer;
  [value.r, value.s] = [integer(plain.subarray(0, 32)), integer(plain.subarray(32))];
  // A leading zero that is not needed is taken away again by DER's rules.
  const trimmed = (all: ArrayBuffer) => {
    let bytes = Buffer.from(all);
    while (bytes.length > 1 && bytes[0] === 0 && (bytes[1] ?? 0) < 0x80) bytes = bytes.subarray(1);
    return new Uint8Array(bytes).buffer;
  };
  [value.r, value.s] = [trimmed(value.r), trimmed(value.s)];
  return Buffer.from(AsnConvert.serialize(value));
};
const other = (plain: Buffer): Buffer => {
  const s = ORDER - BigInt(`0x${plain.subarray(32).toString("hex")}`);
  return Buffer.concat([plain.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex")]);
};
const judge = (keyid: string | undefined, sig: Uint8Array, content: Uint8Array = payload, type = TYPE) =>
  judgeSignatures(type, content, [{ keyid, sig }], keys)[0];

describe("a signature of an envelope with several", () => {
  it("is good in DER, with the lower s, by the key of its keyid", () => {
    const sigs = [one, two].map(({ privateKey }) => derOf(toLowS(plainBy(privateKey))));
    const parts = ["one", "two"].map((keyid, i) => ({ keyid, sig: sigs[i] as Buffer }));
    expect(judgeSignatures(TYPE, payload, parts, keys)).toEqual(["good", "good"]);
  });

  it("is refused with the higher s, which verifies as well", () => {
    for (let i = 0; i < 16; i += 1) {
      const low = toLowS(plainBy());
      const high = other(low);
      expect(verifyP256(one.publicKey, signed, high)).toBe(true);
      expect([judge("one", derOf(low)), judge("one", derOf(high))]).toEqual(["good", "high-s"]);
    }
  });

  it.each([
    ["of a keyid that nobody has", "three", "unknown"],
    ["without a keyid", undefined, "unknown"],
    ["of a keyid that lies", "two", "bad"],
  ])("counts not %s", (_, keyid, state) => expect(judge(keyid, derOf(toLowS(plainBy())))).toBe(state));

  it("counts not as r || s, with more bytes, over another content or as another type", () => {
    const plain = toLowS(plainBy());
    const der = derOf(plain);
    expect(judge("one", plain)).toBe("bad");
    expect(judge("one", Buffer.concat([der, Buffer.alloc(1)]))).toBe("bad");
    expect(judge("one", der, Buffer.from('{"a":2}'))).toBe("bad");
    expect(judge("one", der, payload, "application/other")).toBe("bad");
    expect(judge("one", Buffer.alloc(0))).toBe("bad");
  });

  it("counts not with any bit of it flipped", () => {
    const der = derOf(toLowS(plainBy()));
    fc.assert(
      fc.property(fc.nat(der.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(der);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(judge("one", flipped)).not.toBe("good");
      }),
      { numRuns: 60 },
    );
  });
});

it("has one lower form of two", () => {
  for (let i = 0; i < 8; i += 1) {
    const plain = plainBy();
    expect(toLowS(plain)).toEqual(toLowS(other(plain)));
    expect(verifyP256(one.publicKey, signed, toLowS(plain))).toBe(true);
  }
  for (const none of [Buffer.alloc(0), Buffer.from("3000", "hex"), Buffer.from("3006020101020100", "hex")]) {
    expect(isLowS(none)).toBe(false);
  }
});
