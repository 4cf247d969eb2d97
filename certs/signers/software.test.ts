import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { armor, Decrypter } from "age-encryption";
import { afterAll, describe, expect, test } from "vitest";
import { signerContract } from "./signer-contract.ts";
import { createAgeSigner, createPem, loadAgeSigner, loadPemSigner } from "./software.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-age-"));
afterAll(() => rmSync(folder, { recursive: true }));
const passphrase = "correct horse battery staple";
const at = (name: string) => ({ file: join(folder, `${name}.age`), passphrase, workFactor: 4 });

signerContract("age file", () => ({
  create: (name, curve) => createAgeSigner(at(name), curve),
  load: (name) => loadAgeSigner(at(name)),
}));

describe("a key in an age file", () => {
  test("is readable by its owner alone, and has no key in the clear", async () => {
    await createAgeSigner(at("private"), "P-384");
    const text = readFileSync(at("private").file, "utf8");
    expect(statSync(at("private").file).mode & 0o777).toBe(0o600);
    expect(text).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    expect(text).not.toContain("PRIVATE KEY");
  });

  test("opens with age alone, as the guide says", async () => {
    const signer = await createAgeSigner(at("plain"), "P-384");
    const decrypter = new Decrypter();
    decrypter.addPassphrase(passphrase);
    const pem = await decrypter.decrypt(armor.decode(readFileSync(at("plain").file, "utf8")), "text");
    expect((await loadPemSigner(pem, "plain")).publicKeySpki).toEqual(signer.publicKeySpki);
  });

  test("is refused with another passphrase, and the error has neither", async () => {
    await createAgeSigner(at("guarded"), "P-384");
    const wrong = { ...at("guarded"), passphrase: "incorrect horse" };
    const thrown = await loadAgeSigner(wrong).catch((each: unknown) => each);
    expect(thrown).toMatchObject({ code: "SIGNER_PASSPHRASE_WRONG", exit: 3, path: wrong.file });
    expect(String(thrown)).not.toMatch(/horse|BEGIN/);
  });

  test("is refused when any part of it was changed, cut or emptied", async () => {
    await createAgeSigner(at("torn"), "P-256");
    const whole = readFileSync(at("torn").file, "utf8");
    for (const cut of [0, 1, 40, Math.floor(whole.length / 2), whole.length - 40]) {
      writeFileSync(at("torn").file, whole.slice(0, cut));
      await expect(loadAgeSigner(at("torn")), `${cut}`).rejects.toMatchObject({ code: "SIGNER_KEY_CORRUPT", exit: 4 });
    }
    const bytes = Buffer.from(armor.decode(whole));
    // The payload's last octets: a changed header may be another passphrase's as well.
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 3) ^ 1, bytes.length - 3);
    writeFileSync(at("torn").file, armor.encode(bytes));
    await expect(loadAgeSigner(at("torn"))).rejects.toMatchObject({ code: "SIGNER_KEY_CORRUPT" });
  });

  test("is not written where nothing can be", async () => {
    const file = join(folder, "missing", "key.age");
    await expect(createAgeSigner({ ...at("x"), file }, "P-256")).rejects.toMatchObject({
      code: "SIGNER_FAILED",
      path: file,
    });
  });
});

describe("a key in PEM", () => {
  test("signs on either curve", async () => {
    expect((await loadPemSigner(await createPem("P-256"), "a")).curve).toBe("P-256");
    expect((await loadPemSigner(await createPem("P-384"), "a")).curve).toBe("P-384");
  });

  const pem = (key: KeyObject) => key.export({ format: "pem", type: "pkcs8" }).toString();
  test.each([
    ["no PEM", "nonsense"],
    [
      "a public key",
      generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "pem", type: "spki" }),
    ],
    ["P-521", pem(generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey)],
    ["P-224", pem(generateKeyPairSync("ec", { namedCurve: "secp224r1" }).privateKey)],
    ["RSA", pem(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey)],
    ["Ed25519", pem(generateKeyPairSync("ed25519").privateKey)],
  ])("is refused when it is %s, and stays out of the error", async (_, text) => {
    const thrown = await loadPemSigner(String(text), "there").catch((each: unknown) => each);
    expect(thrown).toMatchObject({ code: "SIGNER_KEY_CORRUPT", path: "there" });
    expect(String(thrown)).not.toContain("BEGIN");
  });
});
