import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { forgeKeyFile } from "./contract/test-forgery.ts";
import { give, refuse, TestTransit, testServerTls } from "./contract/test-transit.ts";
import { openVaultStore, type VaultStoreRef } from "./vault.ts";

const transit = new TestTransit();
beforeAll(async () => {
  await transit.start();
  await filled();
});
afterAll(() => transit.stop());
afterEach(() => {
  transit.described = {};
  transit.instead = undefined;
  transit.asked.splice(0);
});

let made = 0;
const ref = (changes: Partial<VaultStoreRef> = {}): VaultStoreRef => ({
  kind: "vault",
  ...transit.key(),
  folder: join(transit.folder, `store-${made}`),
  ...changes,
});

const refusal = async (changes: Partial<VaultStoreRef> = {}): Promise<unknown> =>
  openVaultStore(ref(changes)).catch((thrown: unknown) => thrown);
const filled = async () => {
  made += 1;
  const store = await openVaultStore(ref());
  const { keyId } = await store.generate();
  await store.close();
  return { keyId };
};
const fileIn = (name: string, content: string): string => {
  const file = join(transit.folder, name);
  writeFileSync(file, content);
  return file;
};

describe("a key store that a transit engine wraps", () => {
  it("says what it is", async () => {
    made += 1;
    const store = await openVaultStore(ref());
    expect(store.facts).toEqual({
      kind: "vault",
      custodyClass: "software",
      keysInUse: "in-memory",
      where: `vault:address=${transit.address};key=transit/custody;folder=${ref().folder}`,
    });
    await store.close();
  });

  it("asks for the key's description before anything is wrapped", async () => {
    await filled();
    expect(transit.asked[0]).toBe("GET /v1/transit/keys/custody");
    expect(new Set(transit.asked)).toEqual(
      new Set(["GET /v1/transit/keys/custody", "POST /v1/transit/encrypt/custody", "POST /v1/transit/decrypt/custody"]),
    );
  });

  it.each([
    [{ exportable: true }, "exportable"],
    [{ exportable: undefined }, "exportable"],
    [{ allow_plaintext_backup: true }, "backed up in plaintext"],
    [{ allow_plaintext_backup: undefined }, "backed up in plaintext"],
    [{ derived: true }, "derived"],
    [{ derived: undefined }, "derived"],
    [{ type: "rsa-4096" }, "rsa-4096"],
    [{ type: "aes256-cbc" }, "aes256-cbc"],
  ])("is refused with a wrapping key of which it is said %j", async (described, word) => {
    transit.described = described;
    const thrown = await refusal();
    expect(thrown).toMatchObject({ code: "CUSTODY_STORE_WRAP_KEY_UNFIT", exit: 5 });
    expect(String(thrown)).toContain(word);
    expect(transit.asked).toEqual(["GET /v1/transit/keys/custody"]);
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ["is sealed", (response) => refuse(response, 503, "Vault is sealed"), "CUSTODY_STORE_SERVICE_SEALED"],
    ["is a standby for disasters", (response) => refuse(response, 472), "CUSTODY_STORE_SERVICE_SEALED"],
    ["is a standby for performance", (response) => refuse(response, 473), "CUSTODY_STORE_SERVICE_SEALED"],
    [
      "names another node",
      (response) => response.writeHead(307, { location: `${transit.address}/v1/elsewhere` }).end(),
      "CUSTODY_STORE_SERVICE_SEALED",
    ],
    ["denies it", (response) => refuse(response, 403, "permission denied"), "CUSTODY_STORE_DENIED"],
    ["is at its limit", (response) => refuse(response, 429, "rate limit quota"), "CUSTODY_STORE_THROTTLED"],
    ["has no such key", (response) => refuse(response, 404), "CUSTODY_STORE_WRAP_KEY_MISSING"],
    ["fails", (response) => refuse(response, 500, "internal error"), "CUSTODY_STORE_SERVICE_FAILED"],
    ["is something else", (response) => response.end("<html>"), "CUSTODY_STORE_WRAP_KEY_UNFIT"],
    ["answers nothing at all", (response) => give(response, null), "CUSTODY_STORE_WRAP_KEY_UNFIT"],
    ["hangs up", (response) => response.destroy(), "CUSTODY_STORE_UNREACHABLE"],
    ["answers without end", (response) => response.end(Buffer.alloc(70_000, "x")), "CUSTODY_STORE_UNREACHABLE"],
  ])("is refused when the service %s, and opens when that is over", async (_, instead, code) => {
    transit.instead = instead;
    expect(await refusal()).toMatchObject({ code });
    expect(transit.asked).toEqual(["GET /v1/transit/keys/custody"]);
    transit.instead = undefined;
    const store = await openVaultStore(ref());
    expect(await store.list()).toHaveLength(1);
    await store.close();
  });

  it.each<[string, unknown]>([
    ["no ciphertext", {}],
    ["a ciphertext in words of its own", { ciphertext: "kms:1:AAAA" }],
    ["the plaintext", { ciphertext: 7 }],
  ])("makes no key when the service encrypts to %s", async (_, data) => {
    made += 1;
    const store = await openVaultStore(ref());
    transit.instead = (response) => give(response, data);
    await expect(store.generate()).rejects.toMatchObject({ code: "CUSTODY_STORE_SERVICE_FAILED" });
    expect(await store.list()).toEqual([]);
    expect(readdirSync(ref().folder)).toEqual(["audit-signer.key"]);
    await store.close();
  });

  it.each(["ciphertext or signature version is disallowed by policy (too old)", "something else"])(
    "does not take %j for a file that is not its own",
    async (said) => {
      const file = join(ref().folder, "audit-signer.key");
      const before = readFileSync(file);
      const store = openVaultStore(ref());
      transit.instead = (response) =>
        transit.asked.at(-1)?.includes("decrypt")
          ? refuse(response, 400, said)
          : give(response, { type: "aes256-gcm96", exportable: false, allow_plaintext_backup: false, derived: false });
      await expect(store).rejects.toMatchObject({ code: "CUSTODY_STORE_SERVICE_FAILED" });
      await expect(store).rejects.toThrow(said);
      expect(readFileSync(file)).toEqual(before);
    },
  );

  it("opens no file that was wrapped for another key id, or by another key", async () => {
    const { keyId } = await filled();
    const other = new TestTransit();
    await other.start();
    expect(await refusal({ ...other.key() })).toMatchObject({ code: "CUSTODY_STORE_FOREIGN" });
    other.stop();
    forgeKeyFile(ref().folder, keyId, "0011223344556677");
    expect(await refusal()).toMatchObject({ code: "CUSTODY_STORE_FOREIGN" });
  });

  it.each<[string, () => Partial<VaultStoreRef>, string]>([
    ["another token", () => ({ tokenFile: fileIn("other", "hvs.of-another-person") }), "CUSTODY_STORE_DENIED"],
    ["no token", () => ({ tokenFile: join(transit.folder, "none") }), "SIGNER_SECRET_UNREADABLE"],
    ["an empty token", () => ({ tokenFile: fileIn("empty", "\n") }), "SIGNER_SECRET_UNREADABLE"],
    ["a token of two lines", () => ({ tokenFile: fileIn("two", "hvs.a\nhvs.b") }), "CUSTODY_STORE_UNREACHABLE"],
    ["another key", () => ({ key: "other" }), "CUSTODY_STORE_WRAP_KEY_MISSING"],
    ["another mount", () => ({ mount: "other" }), "CUSTODY_STORE_WRAP_KEY_MISSING"],
    ["no listener", () => ({ address: "https://127.0.0.1:1" }), "CUSTODY_STORE_UNREACHABLE"],
    ["no TLS", () => ({ address: transit.address.replace("https", "http") }), "CUSTODY_STORE_ADDRESS"],
    ["a password", () => ({ address: "https://user:hvs.p4ss@127.0.0.1" }), "CUSTODY_STORE_ADDRESS"],
    ["a query", () => ({ address: "https://127.0.0.1?a=b" }), "CUSTODY_STORE_ADDRESS"],
    ["no address", () => ({ address: "vault" }), "CUSTODY_STORE_ADDRESS"],
    ["a key in another folder", () => ({ key: "../encrypt" }), "CUSTODY_STORE_ADDRESS"],
    ["a mount in another folder", () => ({ mount: "../sys" }), "CUSTODY_STORE_ADDRESS"],
    ["no file of an authority", () => ({ caFile: join(transit.folder, "none") }), "CUSTODY_STORE_ADDRESS"],
    ["authorities of the world alone", () => ({ caFile: undefined }), "CUSTODY_STORE_UNREACHABLE"],
  ])("is refused with %s, and says no token", async (_, changes, code) => {
    const thrown = await refusal(changes());
    expect(thrown).toMatchObject({ code });
    expect(inspect(thrown, { depth: 9 })).not.toMatch(/hvs\./);
  });

  it("takes no server of another authority, even when the environment wants none verified", async () => {
    const other = new TestTransit();
    await testServerTls(other.folder);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    const thrown = await refusal({ caFile: join(other.folder, "ca.crt") });
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    other.stop();
    expect(thrown).toMatchObject({ code: "CUSTODY_STORE_UNREACHABLE" });
    expect(transit.asked).toEqual([]);
  });
});
