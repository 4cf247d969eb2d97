import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseSigningKey, readSigningKey } from "./signing-key.ts";
import { testSigner } from "./test-signer.ts";

const refusal = expect.objectContaining({ code: "IMAGES_SIGNER_INVALID", path: "images.signedBy" });
const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const pemOf = (curve: string): string =>
  generateKeyPairSync("ec", { namedCurve: curve }).publicKey.export({ type: "spki", format: "pem" }).toString();

describe("parseSigningKey", () => {
  it("gives the SHA-256 of the SubjectPublicKeyInfo", () => {
    const { key, pem } = testSigner();
    const spki = Buffer.from(pem.split("\n").slice(1, -2).join(""), "base64");
    expect(key.fingerprint).toBe(`sha256:${createHash("sha256").update(spki).digest("hex")}`);
  });

  it.each([
    ["another curve", pemOf("secp384r1")],
    ["a curve of the same size", pemOf("secp256k1")],
    [
      "RSA",
      generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" }).toString(),
    ],
    ["Ed25519", generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString()],
    ["nothing", ""],
    ["text", "images"],
    ["two keys", testSigner().pem + testSigner().pem],
    ["half a key", testSigner().pem.slice(0, 90)],
    ["a certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"],
    ["a point that is not on the curve", testSigner().pem.replace(/.{20}\n-----END/, "AAAAAAAAAAAAAAAAAA==\n-----END")],
  ])("refuses %s", (_, text) => expect(() => parseSigningKey(text, "f")).toThrow(refusal));

  it("refuses a private key, and shows nothing of it", () => {
    const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const [, line = ""] = pem.split("\n");
    for (const text of [pem, "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nabc"]) {
      expect(() => parseSigningKey(text, "f")).toThrow(/holds a private key/);
    }
    expect(() => parseSigningKey(pem, "f")).not.toThrow(line.slice(0, 20));
  });
});

describe("readSigningKey", () => {
  it("reads a file, and refuses one that is not there, a folder, and one without end", () => {
    const dir = mkdtempSync(join(tmpdir(), "tk-signer-"));
    const file = join(dir, "images.pub");
    const { pem, key } = testSigner();
    writeFileSync(file, pem);
    expect(readSigningKey(file).fingerprint).toBe(key.fingerprint);
    rmSync(dir, { recursive: true });
    for (const wrong of [file, tmpdir(), "/dev/zero"]) expect(() => readSigningKey(wrong)).toThrow(refusal);
  });
});
