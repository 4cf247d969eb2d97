import { generateKeyPairSync, sign, verify } from "node:crypto";
import { expect, it } from "vitest";
import { derSignature } from "./der-signature.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

it("is what openssl verifies, of 300 signatures, also those with coordinates that begin with zeros", () => {
  for (let count = 0; count < 300; count += 1) {
    const data = Buffer.from(`message ${count}`);
    const plain = sign("sha256", data, { key: privateKey, dsaEncoding: "ieee-p1363" });
    expect(verify("sha256", data, { key: publicKey, dsaEncoding: "der" }, derSignature(plain))).toBe(true);
  }
});

it.each([
  ["zeros before the digits", Buffer.from([0, 0, 1, 0, 0, 2]), "3006020101020102"],
  ["a first bit that is set", Buffer.from([0x80, 0xff]), "3008020200800202" + "00ff"],
  ["nothing but zeros", Buffer.from([0, 0, 0, 0]), "3006020100020100"],
])("writes integers as DER does: %s", (_, plain, hex) => {
  expect(derSignature(plain).toString("hex")).toBe(hex);
});
