import { createPublicKey, generateKeyPairSync, webcrypto } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadAwsKmsSigner } from "./aws-kms.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-aws-"));
const { PATH } = process.env;
const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = pair.publicKey.export({ format: "der", type: "spki" });
const key = { region: "eu-central-1", keyId: "1234" };

/** An `aws` that answers as the real one is documented to: JSON, or a line on stderr and code 254. */
function fakeAws({ spec = "ECC_NIST_P256", usage = "SIGN_VERIFY", refusal = "" } = {}): void {
  const pem = pair.privateKey.export({ format: "pem", type: "pkcs8" });
  const script = `#!${process.execPath}

const { execFileSync } = require("node:child_process");
const { writeFileSync } = require("node:fs");
if (${JSON.stringify(refusal)}) { console.error(${JSON.stringify(refusal)}); process.exit(254); }
const of = (flag) => process.argv[process.argv.indexOf(flag) + 1];
if (of("--key-id") !== "1234" || of("--region") !== "eu-central-1") process.exit(255);
if (process.argv[3] === "get-public-key") {
  console.log(JSON.stringify({ KeySpec: "${spec}", KeyUsage: "${usage}", PublicKey: "${spki.toString("base64")}" }));
} else {
  writeFileSync(${JSON.stringify(join(folder, "key"))}, ${JSON.stringify(pem)});
  writeFileSync(${JSON.stringify(join(folder, "digest"))}, Buffer.from(of("--message"), "base64"));
  const args = ["pkeyutl", "-sign", "-inkey", ${JSON.stringify(join(folder, "key"))}, "-in", ${JSON.stringify(join(folder, "digest"))}];
  if (of("--message-type") !== "DIGEST" || of("--signing-algorithm") !== "ECDSA_SHA_256") process.exit(255);
  console.log(JSON.stringify({ Signature: execFileSync("openssl", args).toString("base64") }));
}
`;
  writeFileSync(join(folder, "aws"), script);
  chmodSync(join(folder, "aws"), 0o755);
}

beforeEach(() => {
  process.env.PATH = `${folder}${delimiter}${PATH}`;
  fakeAws();
});
afterEach(() => {
  process.env.PATH = PATH;
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a key in AWS KMS", () => {
  test("signs digests, as its public key verifies", async () => {
    const signer = await loadAwsKmsSigner(key);
    const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
    const signature = await signer.crypto.subtle.sign(algorithm, signer.signingKey, Buffer.from("data"));
    expect(await webcrypto.subtle.verify(algorithm, signer.publicKey, signature, Buffer.from("data"))).toBe(true);
    const own = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
    expect(own.equals(pair.publicKey)).toBe(true);
    expect(signer).toMatchObject({ curve: "P-256", where: "aws-kms:region=eu-central-1;key-id=1234" });
  });

  test.each([
    ["is not there", "An error occurred (NotFoundException) when calling", "SIGNER_KEY_MISSING", 4],
    ["is disabled", "An error occurred (DisabledException) when calling", "SIGNER_KEY_CORRUPT", 4],
    ["is not for us", "An error occurred (AccessDeniedException) when calling", "SIGNER_PIN_WRONG", 3],
    ["has no credentials", "Unable to locate credentials", "SIGNER_PIN_WRONG", 3],
    ["is not to be reached", "Could not connect to the endpoint URL", "SIGNER_TOKEN_MISSING", 4],
    ["fails in another way", "something else", "SIGNER_FAILED", 4],
  ])("is refused when it %s", async (_, refusal, code, exit) => {
    fakeAws({ refusal });
    await expect(loadAwsKmsSigner(key)).rejects.toMatchObject({ code, exit });
  });

  test.each([{ spec: "RSA_2048" }, { spec: "ECC_SECG_P256K1" }, { usage: "KEY_AGREEMENT" }, { spec: "ECC_NIST_P384" }])(
    "is refused when it is %j",
    async (changed) => {
      fakeAws(changed);
      await expect(loadAwsKmsSigner(key)).rejects.toMatchObject({ code: "SIGNER_CURVE_UNSUPPORTED", exit: 2 });
    },
  );

  test("needs the `aws` command line", async () => {
    process.env.PATH = "/nonexistent";
    await expect(loadAwsKmsSigner(key)).rejects.toMatchObject({ code: "SIGNER_TOOLS_MISSING", exit: 4 });
  });
});
