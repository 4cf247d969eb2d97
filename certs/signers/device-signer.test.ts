import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { deviceSigner } from "./device-signer.ts";
import { createPem } from "./software.ts";

const pem = await createPem("P-256");
const publicKeySpki = createPublicKey(pem).export({ format: "der", type: "spki" });
const device = (signDigest: (digest: Buffer) => Promise<Buffer>) =>
  ({ publicKeySpki, curve: "P-256", where: "here", signDigest, close: async () => undefined }) as const;
const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
const DATA = Buffer.from("data");
const right = (): Buffer => sign("SHA-256", DATA, { key: createPrivateKey(pem), dsaEncoding: "ieee-p1363" });

describe("a device's signer", () => {
  test("hands on a signature that verifies", async () => {
    const signer = await deviceSigner(device(async () => right()));
    expect(Buffer.from(await signer.crypto.subtle.sign(algorithm, signer.signingKey, DATA))).toHaveLength(64);
  });

  test.each([
    ["wrong in one bit", () => Buffer.from(right().map((each, index) => (index === 40 ? each ^ 1 : each)))],
    [
      "of something else",
      () => sign("SHA-256", Buffer.from("x"), { key: createPrivateKey(pem), dsaEncoding: "ieee-p1363" }),
    ],
    ["DER", () => sign("SHA-256", DATA, createPrivateKey(pem))],
    ["cut", () => right().subarray(1)],
    ["empty", () => Buffer.alloc(0)],
    ["zero", () => Buffer.alloc(64)],
  ])("hands on none that is %s", async (_, make) => {
    const signer = await deviceSigner(device(async () => make()));
    await expect(signer.crypto.subtle.sign(algorithm, signer.signingKey, DATA)).rejects.toMatchObject({
      code: "SIGNER_FAILED",
      path: "here",
    });
  });

  test("takes no other hash than that of its curve", async () => {
    const signer = await deviceSigner(device(async () => right()));
    const other = { name: "ECDSA", hash: "SHA-384" } as const;
    await expect(signer.crypto.subtle.sign(other, signer.signingKey, DATA)).rejects.toMatchObject({
      code: "SIGNER_CURVE_UNSUPPORTED",
    });
  });

  test("is not made of a key on another curve", async () => {
    const refused = deviceSigner({ ...device(async () => right()), curve: "P-384" });
    await expect(refused).rejects.toMatchObject({ code: "SIGNER_CURVE_UNSUPPORTED", path: "here" });
  });
});
