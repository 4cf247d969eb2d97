import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPkcs11Signer, loadPkcs11Signer } from "../../certs/signers/pkcs11.ts";
import { openPkcs11 } from "../../certs/signers/pkcs11-session.ts";
import { signerContract } from "../../certs/signers/signer-contract.ts";
import { createTpm2Signer, loadTpm2Signer } from "../../certs/signers/tpm2.ts";
import { SoftToken } from "./signers/soft-token.ts";
import { SoftTpm } from "./signers/soft-tpm.ts";

const soft = new SoftToken();
const tpm = new SoftTpm();
const otherTpm = new SoftTpm();
beforeAll(async () => {
  await Promise.all([tpm.start(), otherTpm.start()]);
});
afterAll(async () => {
  soft.remove();
  await Promise.all([tpm.remove(), otherTpm.remove()]);
});

signerContract("PKCS #11", () => ({
  create: (name, curve) => createPkcs11Signer(soft.key(name), curve),
  load: (name) => loadPkcs11Signer(soft.key(name)),
}));

signerContract("TPM 2.0", () => ({
  create: (name, curve) => createTpm2Signer(tpm.key(name), curve),
  load: (name) => loadTpm2Signer(tpm.key(name)),
}));

const refusal = async (promise: Promise<unknown>): Promise<unknown> => promise.catch((thrown: unknown) => thrown);

describe("a PKCS #11 key", () => {
  test("is sensitive on its token, and never was extractable", async () => {
    const signer = await createPkcs11Signer(soft.key("kept"), "P-384");
    const { lib, api, handle, close } = await openPkcs11(soft.key("kept"));
    api.C_FindObjectsInit(handle, [
      { type: lib.CKA_CLASS, value: lib.CKO_PRIVATE_KEY },
      { type: lib.CKA_LABEL, value: "kept" },
    ]);
    const [object = Buffer.alloc(0)] = api.C_FindObjects(handle, 1);
    api.C_FindObjectsFinal(handle);
    const asked = [lib.CKA_SENSITIVE, lib.CKA_ALWAYS_SENSITIVE, lib.CKA_NEVER_EXTRACTABLE, lib.CKA_LOCAL];
    const values = api.C_GetAttributeValue(
      handle,
      object,
      asked.map((type) => ({ type })),
    );
    expect(values.map(({ value }) => Buffer.from(value as Buffer)[0])).toEqual([1, 1, 1, 1]);
    expect(() => api.C_GetAttributeValue(handle, object, [{ type: lib.CKA_VALUE }])).toThrow(/SENSITIVE/);
    close();
    await signer.close();
  });

  test("is refused when it can be read out of its token", async () => {
    const { lib, api, handle, close } = await openPkcs11(soft.key("loose"));
    const label = { type: lib.CKA_LABEL, value: "loose" };
    const p256 = Buffer.from("06082a8648ce3d030107", "hex");
    api.C_GenerateKeyPair(
      handle,
      { mechanism: lib.CKM_EC_KEY_PAIR_GEN },
      [label, { type: lib.CKA_TOKEN, value: true }, { type: lib.CKA_EC_PARAMS, value: p256 }],
      [label, { type: lib.CKA_TOKEN, value: true }, { type: lib.CKA_EXTRACTABLE, value: true }],
    );
    close();
    expect(await refusal(loadPkcs11Signer(soft.key("loose")))).toMatchObject({
      code: "SIGNER_KEY_EXTRACTABLE",
      exit: 5,
    });
  });

  test.each([
    ["a wrong PIN", () => ({ pinFile: soft.pinIn("wrong", "00000000") }), "SIGNER_PIN_WRONG", 3],
    ["a short PIN", () => ({ pinFile: soft.pinIn("short", "1") }), "SIGNER_PIN_WRONG", 3],
    ["no file of the PIN", () => ({ pinFile: join(soft.folder, "none") }), "SIGNER_SECRET_UNREADABLE", 2],
    ["an empty PIN", () => ({ pinFile: soft.pinIn("empty", "\n") }), "SIGNER_SECRET_UNREADABLE", 2],
    ["another token", () => ({ token: "another" }), "SIGNER_TOKEN_MISSING", 4],
    ["no library", () => ({ module: "/nonexistent/token.so" }), "SIGNER_MODULE_MISSING", 2],
    ["a library that is none", () => ({ module: soft.conf }), "SIGNER_MODULE_MISSING", 2],
  ])("is refused with %s, and the error has no PIN", async (_, changed, code, exit) => {
    const thrown = await refusal(loadPkcs11Signer({ ...soft.key("key-P-256"), ...changed() }));
    expect(thrown).toMatchObject({ code, exit });
    expect(String(thrown)).not.toMatch(new RegExp(`${soft.pin}|00000000`));
  });

  test("signs nothing after it was closed", async () => {
    const signer = await loadPkcs11Signer(soft.key("key-P-256"));
    await signer.close();
    const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
    await expect(signer.crypto.subtle.sign(algorithm, signer.signingKey, Buffer.alloc(1))).rejects.toMatchObject({
      code: "SIGNER_FAILED",
    });
  });
});

describe("a TPM's key", () => {
  const changed = (name: string, change: (text: string) => string) => {
    const key = tpm.key(name);
    writeFileSync(key.file, change(readFileSync(tpm.key("key-P-256").file, "utf8")));
    return key;
  };
  /** The file with one octet of its DER changed, counted from the end. */
  const flipped = (text: string): string => {
    const der = Buffer.from(text.replace(/-----.*-----|\n/g, ""), "base64");
    der.writeUInt8(der.readUInt8(der.length - 9) ^ 1, der.length - 9);
    return `-----BEGIN TSS2 PRIVATE KEY-----\n${der.toString("base64")}\n-----END TSS2 PRIVATE KEY-----\n`;
  };

  test("is a file for its owner alone, which has nothing that OpenSSL's own reader opens", () => {
    expect(statSync(tpm.key("key-P-384").file).mode & 0o777).toBe(0o600);
    expect(readFileSync(tpm.key("key-P-384").file, "utf8")).toMatch(/^-----BEGIN TSS2 PRIVATE KEY-----\n/);
  });

  test("is nothing to another TPM", async () => {
    const moved = { ...tpm.key("key-P-256"), device: otherTpm.device };
    expect(await refusal(loadTpm2Signer(moved))).toMatchObject({ code: "SIGNER_KEY_CORRUPT", exit: 4 });
  });

  test("survives a restart of its TPM", async () => {
    const before = await loadTpm2Signer(tpm.key("key-P-256"));
    await tpm.stop();
    expect(await refusal(loadTpm2Signer(tpm.key("key-P-256")))).toMatchObject({
      code: "SIGNER_TOKEN_MISSING",
      exit: 4,
    });
    await tpm.start();
    expect((await loadTpm2Signer(tpm.key("key-P-256"))).publicKeySpki).toEqual(before.publicKeySpki);
  });

  test.each([
    ["changed", flipped],
    ["cut", (text: string) => text.slice(0, 100)],
    ["empty", () => ""],
    ["a software key's", () => "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
  ])("is refused when its file is %s", async (name, change) => {
    const thrown = await refusal(loadTpm2Signer(changed(`bad-${name}`, change)));
    expect(thrown).toMatchObject({ code: "SIGNER_KEY_CORRUPT", exit: 4 });
  });

  test("is refused where there is no TPM, or something else", async () => {
    const key = tpm.key("key-P-256");
    for (const device of ["/dev/nonexistent-tpm", "/dev/null"]) {
      expect(await refusal(loadTpm2Signer({ ...key, device }))).toMatchObject({
        code: "SIGNER_TOKEN_MISSING",
        exit: 4,
      });
    }
  });
});
