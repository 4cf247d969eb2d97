import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CustodyConfig } from "./config.ts";
import { openKeys } from "./open-keys.ts";

const PASSPHRASE = randomBytes(32).toString("hex");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "open-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const waiting = () => ({ kind: "file", folder: join(folder, "keys"), scryptWorkFactor: 10 }) as const;
const bytes = (text: string): Buffer => Buffer.from(text);

function open(passphrase: Uint8Array | undefined, keyStore: CustodyConfig["keyStore"] = waiting()) {
  const folders = { auditFolder: join(folder, "audit"), stateFolder: join(folder, "state") };
  const config = { keyStore, leastClass: "software", tenant: "acme", ...folders } as CustodyConfig;
  return openKeys(config, () => new Date(), passphrase);
}

describe("a file store that waits for a person", () => {
  it("is made with the passphrase that is given, and opens with it again", async () => {
    const first = await open(bytes(PASSPHRASE));
    const { keyId } = await first.keyring.generate("op-anna", { state: "active" });
    await first.close();
    const again = await open(bytes(PASSPHRASE));
    expect(again.keyring.list().map((each) => each.keyId)).toContain(keyId);
    await again.close();
  });

  it("has the passphrase in no file", async () => {
    await (await open(bytes(PASSPHRASE))).close();
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    expect(files.length).toBeGreaterThan(3);
    for (const { parentPath, name } of files) {
      expect(readFileSync(join(parentPath, name)).includes(PASSPHRASE), name).toBe(false);
    }
  });

  it.each([undefined, new Uint8Array()])("stays closed without a passphrase, and makes nothing", async (none) => {
    await expect(open(none)).rejects.toMatchObject({ code: "CUSTODY_PASSPHRASE_NEEDED", exit: 3 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("refuses another passphrase, and does not tell it", async () => {
    await (await open(bytes(PASSPHRASE))).close();
    const wrong = randomBytes(32).toString("hex");
    const refused = await open(bytes(wrong)).catch((thrown: Error) => thrown);
    expect(refused).toMatchObject({ code: "CUSTODY_PASSPHRASE_WRONG" });
    expect(JSON.stringify([refused, String(refused)])).not.toContain(wrong);
  });

  it("refuses a weak passphrase for a new store, and does not tell it", async () => {
    const refused = await open(bytes("letmein"), { kind: "file", folder: join(folder, "keys") }).catch(
      (thrown: Error) => thrown,
    );
    expect(refused).toMatchObject({ code: "CUSTODY_PASSPHRASE_WEAK" });
    expect(String(refused)).not.toContain("letmein");
  });
});

describe("a store that opens by itself", () => {
  it.each<CustodyConfig["keyStore"]>([
    { kind: "file", folder: "/nowhere", passphraseFile: "/nowhere/passphrase" },
    { kind: "file", folder: "/nowhere", identityFile: "/nowhere/identity" },
    { kind: "pkcs11", module: "/nowhere.so", token: "acme", pinFile: "/nowhere/pin", keyPrefix: "demo" },
    { kind: "tpm2", device: "/nowhere", folder: "/nowhere", pcrs: "sha256:0" },
  ])("takes no passphrase: $kind", async (keyStore) => {
    await expect(open(bytes(PASSPHRASE), keyStore)).rejects.toMatchObject({ code: "CUSTODY_PASSPHRASE_UNASKED" });
  });
});
