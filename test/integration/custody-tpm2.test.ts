import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeKeyStore } from "../../custody/backends/contract/key-store-contract.ts";
import { rawKey } from "../../custody/backends/contract/key-store-samples.ts";
import { openKeyStore } from "../../custody/backends/index.ts";
import { custodyClassOf } from "../../custody/backends/tpm2/class.ts";
import type { Tpm2StoreRef } from "../../custody/backends/tpm2.ts";
import { SoftTpm, tpmTool } from "./signers/soft-tpm.ts";
import { TpmStores } from "./signers/tpm-stores.ts";

const stores = new TpmStores();
const { tpm } = stores;
const otherTpm = new SoftTpm();

beforeAll(async () => {
  await Promise.all([stores.start(), otherTpm.start()]);
});
afterAll(async () => {
  await Promise.all([stores.remove(), otherTpm.remove()]);
});

const refusal = (ref: Tpm2StoreRef): Promise<unknown> =>
  openKeyStore(ref).then(
    () => null,
    (thrown: unknown) => thrown,
  );
const keysOf = async (ref: Tpm2StoreRef): Promise<number> => {
  const store = await openKeyStore(ref);
  const { length } = await store.list();
  await store.close();
  return length;
};
const sealedOf = (ref: Tpm2StoreRef): string => join(ref.folder, "wrapping-key.tpm2");

let last = stores.name();
describeKeyStore("tpm2", {
  create: () => {
    last = stores.name();
    return openKeyStore(last);
  },
  reopen: () => openKeyStore(last),
});

describe("a store that a TPM seals", () => {
  test("says that swtpm is software, and its keys are in memory", async () => {
    const ref = await stores.filled();
    const store = await openKeyStore(ref);
    const where = `tpm2:device=${tpm.device};pcrs=sha256:0,2,4,7;folder=${ref.folder}`;
    expect(store.facts).toEqual({ kind: "tpm2", custodyClass: "software", keysInUse: "in-memory", where });
    expect(custodyClassOf(tpm.tool("tpm2_getcap", ["properties-fixed"]))).toBe("software");
    await store.close();
  });

  test("is files for their owner alone, with no key in the clear, and leaves no file elsewhere", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("tk-tpm-"));
    const ref = stores.name();
    const raw = rawKey();
    const store = await openKeyStore(ref);
    const { keyId } = await store.importKey(raw);
    await store.close();
    const files = readdirSync(ref.folder);
    expect(files.sort()).toEqual([`${keyId}.key`, "audit-signer.key", "wrapping-key.tpm2"].sort());
    for (const file of files) {
      expect(statSync(join(ref.folder, file)).mode & 0o777).toBe(0o600);
      const bytes = readFileSync(join(ref.folder, file));
      for (const form of [raw, raw.toString("hex"), raw.toString("base64")]) expect(bytes.includes(form)).toBe(false);
    }
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("tk-tpm-"))).toEqual(before);
  });

  test("opens after its TPM was restarted and measured the same", async () => {
    const ref = await stores.filled();
    await tpm.stop();
    expect(await refusal(ref)).toMatchObject({ code: "SIGNER_TOKEN_MISSING", exit: 4 });
    await tpm.start();
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_PCRS_CHANGED" });
    for (const register of [0, 2, 4, 7]) tpm.extend(register);
    expect(await keysOf(ref)).toBe(1);
  });

  test("does not open once a register changed, however often it is asked, and says what to do", async () => {
    const ref = await stores.filled("sha256:7,9");
    const other = await stores.filled("sha256:8");
    tpm.extend(9);
    for (let count = 0; count < 6; count += 1) {
      expect(await refusal(ref)).toMatchObject({
        code: "CUSTODY_PCRS_CHANGED",
        message: expect.stringContaining('"sha256:7,9"'),
        fix: expect.stringMatching(/escrow/),
        path: sealedOf(ref),
        exit: 5,
      });
    }
    expect(tpm.tool("tpm2_getcap", ["handles-transient"])).toBe("");
    expect(tpm.tool("tpm2_getcap", ["handles-loaded-session"])).toBe("");
    expect(await keysOf(other)).toBe(1);
  });

  test("opens by its policy alone", async () => {
    const [, text = ""] = readFileSync(sealedOf(await stores.filled()), "utf8").split("\n");
    const blob = join(stores.folder, "public");
    writeFileSync(blob, Buffer.from(JSON.parse(text).public, "base64"));
    const said = tpmTool("tpm2_print", ["-t", "TPM2B_PUBLIC", blob]);
    expect(said).toMatch(/attributes:\s+value: fixedtpm\|fixedparent\|noda\n/);
    expect(said).toMatch(/authorization policy: [0-9a-f]{64}\n/);
  });

  test("opens while others have the TPM locked out", async () => {
    const ref = await stores.filled();
    const locked = join(stores.folder, "locked");
    tpm.tool("tpm2_dictionarylockout", ["--setup-parameters", "--max-tries=1", "--recovery-time=600"]);
    tpm.tool("tpm2_createprimary", ["-Q", "-C", "o", "-p", "right", "-c", locked]);
    expect(() => tpm.tool("tpm2_create", ["-Q", "-C", locked, "-P", "wrong"])).toThrow();
    tpm.tool("tpm2_flushcontext", ["-t"]);
    expect(tpm.tool("tpm2_getcap", ["properties-variable"])).toMatch(/inLockout:\s+1/);
    expect(await keysOf(ref)).toBe(1);
    tpm.tool("tpm2_dictionarylockout", ["--clear-lockout"]);
  });

  test("goes on where it was killed after its wrapping key was sealed", async () => {
    const ref = stores.name();
    await (await openKeyStore(ref)).close();
    const sealed = readFileSync(sealedOf(ref));
    rmSync(join(ref.folder, "audit-signer.key"));
    writeFileSync(`${sealedOf(ref)}.tmp`, "torn");
    expect(await keysOf(ref)).toBe(0);
    expect(readFileSync(sealedOf(ref))).toEqual(sealed);
  });

  test("is nothing to another TPM, and to its own once that was cleared", async () => {
    const ref = await stores.filled();
    const foreign = { code: "CUSTODY_STORE_FOREIGN", path: sealedOf(ref), exit: 3 };
    expect(await refusal({ ...ref, device: otherTpm.device })).toMatchObject(foreign);
    const cleared: Tpm2StoreRef = { ...stores.name("sha256:1"), device: otherTpm.device };
    await (await openKeyStore(cleared)).close();
    otherTpm.tool("tpm2_clear", []);
    expect(await refusal(cleared)).toMatchObject({ ...foreign, path: sealedOf(cleared) });
  });

  test("needs an owner hierarchy without an authorization", async () => {
    otherTpm.tool("tpm2_changeauth", ["-c", "owner", "canary"]);
    const thrown = await refusal({ ...stores.name(), device: otherTpm.device });
    expect(thrown).toMatchObject({ code: "SIGNER_PIN_WRONG", exit: 3 });
    otherTpm.tool("tpm2_changeauth", ["-c", "owner", "-p", "canary"]);
  });

  test("finds a sealed key that was changed, cut, lost, or taken from another store", async () => {
    const ref = await stores.filled();
    const path = sealedOf(ref);
    const bytes = readFileSync(path);
    const corrupt = { code: "CUSTODY_STORE_CORRUPT", path };
    for (const at of [0, 40, 100, bytes.length - 20]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(path, changed);
      expect(await refusal(ref)).toMatchObject(corrupt);
    }
    writeFileSync(path, bytes.subarray(0, 200));
    expect(await refusal(ref)).toMatchObject(corrupt);
    copyFileSync(sealedOf(await stores.filled()), path);
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_STORE_FOREIGN" });
    rmSync(path);
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_STORE_INCOMPLETE", path: ref.folder });
    expect(readdirSync(ref.folder)).not.toContain("wrapping-key.tpm2");
  });

  test("refuses registers that its TPM does not have, or that it was not sealed to", async () => {
    for (const pcrs of ["sha256:24", "sha1:0", "sha256"]) {
      expect(await refusal(stores.name(pcrs))).toMatchObject({ code: "CUSTODY_PCRS_SELECTION", exit: 2 });
    }
    const ref = await stores.filled();
    expect(await refusal({ ...ref, pcrs: "sha256:0" })).toMatchObject({
      code: "CUSTODY_PCRS_SELECTION",
      message: expect.stringContaining("sha256:0,2,4,7"),
    });
    expect(await keysOf({ ...ref, pcrs: "sha256:7,4,2,0" })).toBe(1);
  });

  test("is not made where there is no TPM, or something else", async () => {
    for (const device of ["/dev/nonexistent-tpm", "/dev/null"]) {
      const ref = { ...stores.name(), device };
      expect(await refusal(ref)).toMatchObject({ code: "SIGNER_TOKEN_MISSING", exit: 4 });
      expect(readdirSync(ref.folder)).toEqual([]);
    }
  });

  test("opens from a copy of its folder on the same host", async () => {
    const ref = await stores.filled();
    const copy = stores.name();
    cpSync(ref.folder, copy.folder, { recursive: true });
    expect(await keysOf(copy)).toBe(1);
  });
});
