import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { decimalSerial, jwkToken, publicJwk } from "./tokens.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keyPem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
const now = new Date("2026-11-21T08:00:00Z");
const servername = "gateways-ca.acme.trustkern.internal";
const wanted = { provisioner: "backend", keyPem, servername, use: "sign", subject: "gw-01", now } as const;

describe("a token", () => {
  test("says who vouches for what, for a minute, at one authority", async () => {
    const token = await jwkToken(wanted);
    const { payload } = await jwtVerify(token, createPublicKey(keyPem), { currentDate: now });
    expect(payload).toMatchObject({ iss: "backend", sub: "gw-01", aud: `https://${servername}/1.0/sign` });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
    expect(decodeProtectedHeader(token)).toMatchObject({
      alg: "ES256",
      kid: (await publicJwk(createPublicKey(keyPem))).kid,
    });
  });

  test("is never the same twice, and another one for a revocation", async () => {
    const [one, two] = [decodeJwt(await jwkToken(wanted)), decodeJwt(await jwkToken(wanted))];
    expect(one.jti).not.toBe(two.jti);
    expect(decodeJwt(await jwkToken({ ...wanted, use: "revoke" })).aud).toBe(`https://${servername}/1.0/revoke`);
  });

  test.each(["", "no key", keyPem.slice(0, 60)])("is not made of %j, and what it was is in no message", async (bad) => {
    const error = await jwkToken({ ...wanted, keyPem: bad }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "STEP_CA_ANSWER", path: "keyPem" });
    if (bad !== "") expect(String(error)).not.toContain(bad);
  });
});

test("a public key has nothing private in it", async () => {
  expect(Object.keys(await publicJwk(createPublicKey(keyPem))).sort()).toEqual([
    "alg",
    "crv",
    "kid",
    "kty",
    "use",
    "x",
    "y",
  ]);
});

test.each([
  ["0a", "10"],
  ["ff00112233445566778899aabbccddee", BigInt("0xff00112233445566778899aabbccddee").toString()],
])("the serial number %s is %s in step-ca's tokens", (hex, decimal) => {
  expect(decimalSerial(hex)).toBe(decimal);
});
