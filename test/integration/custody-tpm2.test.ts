import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKeyStore } from "../../custody/backends/index.ts";
import { describeKeyStore } from "../../custody/backends/key-store-contract.ts";
import { rawKey } from "../../custody/backends/key-store-samples.ts";
import type { Tpm2StoreRef } from "../../custody/backends/tpm2.ts";
import { custodyClassOf } from "../../custody/backends/tpm2-class.ts";
import { SoftTpm } from "./signers/soft-tpm.ts";

const PCRS = "sha256:0,2,4,7";
const tpm = new SoftTpm();
const otherTpm = new SoftTpm();
const root = mkdtempSync(join(tmpdir(), "tk-custody-tpm2-"));
let stores = 0;

beforeAll(async () => {
  await Promise.all([tpm.start(), otherTpm.start()]);
  for (const register of [0, 2, 4, 7]) extend(register, tpm);
});
afterAll(async () => {
  await Promise.all([tpm.remove(), otherTpm.remove()]);
  rmSync(root, { recursive: true });
});

function tool(name: string, args: readonly string[], { device } = tpm): string {
  return execFileSync(name, ["-T", `swtpm:path=${device}`, ...args], { encoding: "utf8", stdio: "pipe" });
}

function extend(register: number, of = tpm): void {
  tool("tpm2_pcrextend", [`${register}:sha256=${"ab".repeat(32)}`], of);
}

function newStore(pcrs = PCRS): Tpm2StoreRef {
  stores += 1;
  return { kind: "tpm2", device: tpm.device, folder: join(root, `store-${stores}`), pcrs };
}

async function filled(pcrs = PCRS): Promise<Tpm2StoreRef> {
  const ref = newStore(pcrs);
  const store = await openKeyStore(ref);
  await store.generate();
  await store.close();
  return ref;
}

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

let last = newStore();
describeKeyStore("tpm2", {
  create: () => {
    last = newStore();
    return openKeyStore(last);
  },
  reopen: () => openKeyStore(last),
});

describe("a store that a TPM seals", () => {
  test("says that swtpm is software, and its keys are in memory", async () => {
    const ref = await filled();
    const store = await openKeyStore(ref);
    const where = `tpm2:device=${tpm.device};pcrs=${PCRS};folder=${ref.folder}`;
    expect(store.facts).toEqual({ kind: "tpm2", custodyClass: "software", keysInUse: "in-memory", where });
    expect(custodyClassOf(tool("tpm2_getcap", ["properties-fixed"]))).toBe("software");
    await store.close();
  });

  test("is files for their owner alone, with no key in the clear, and leaves no file elsewhere", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("tk-tpm-"));
    const ref = newStore();
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
    const ref = await filled();
    await tpm.stop();
    expect(await refusal(ref)).toMatchObject({ code: "SIGNER_TOKEN_MISSING", exit: 4 });
    await tpm.start();
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_PCRS_CHANGED" });
    for (const register of [0, 2, 4, 7]) extend(register);
    expect(await keysOf(ref)).toBe(1);
  });

  test("does not open once a register changed, however often it is asked, and says what to do", async () => {
    const ref = await filled("sha256:7,9");
    const other = await filled("sha256:8");
    extend(9);
    for (let count = 0; count < 6; count += 1) {
      expect(await refusal(ref)).toMatchObject({
        code: "CUSTODY_PCRS_CHANGED",
        message: expect.stringContaining('"sha256:7,9"'),
        fix: expect.stringMatching(/escrow/),
        path: sealedOf(ref),
        exit: 5,
      });
    }
    expect(await keysOf(other)).toBe(1);
  });

  test("opens by its policy alone", async () => {
    const [, text = ""] = readFileSync(sealedOf(await filled()), "utf8").split("\n");
    const blob = join(root, "public");
    writeFileSync(blob, Buffer.from(JSON.parse(text).public, "base64"));
    const said = execFileSync("tpm2_print", ["-t", "TPM2B_PUBLIC", blob], { encoding: "utf8" });
    expect(said).toMatch(/attributes:\s+value: fixedtpm\|fixedparent\|noda\n/);
    expect(said).toMatch(/authorization policy: [0-9a-f]{64}\n/);
  });

  test("opens while others have the TPM locked out", async () => {
    const ref = await filled();
    const locked = join(root, "locked");
    tool("tpm2_dictionarylockout", ["--setup-parameters", "--max-tries=1", "--recovery-time=600"]);
    tool("tpm2_createprimary", ["-Q", "-C", "o", "-p", "right", "-c", locked]);
    expect(() => tool("tpm2_create", ["-Q", "-C", locked, "-P", "wrong"])).toThrow();
    tool("tpm2_flushcontext", ["-t"]);
    expect(tool("tpm2_getcap", ["properties-variable"])).toMatch(/inLockout:\s+1/);
    expect(await keysOf(ref)).toBe(1);
    tool("tpm2_dictionarylockout", ["--clear-lockout"]);
  });

  test("goes on where it was killed after its wrapping key was sealed", async () => {
    const ref = newStore();
    await (await openKeyStore(ref)).close();
    const sealed = readFileSync(sealedOf(ref));
    rmSync(join(ref.folder, "audit-signer.key"));
    writeFileSync(`${sealedOf(ref)}.tmp`, "torn");
    expect(await keysOf(ref)).toBe(0);
    expect(readFileSync(sealedOf(ref))).toEqual(sealed);
  });

  test("is nothing to another TPM, and to its own once that was cleared", async () => {
    const ref = await filled();
    const foreign = { code: "CUSTODY_STORE_FOREIGN", path: sealedOf(ref), exit: 3 };
    expect(await refusal({ ...ref, device: otherTpm.device })).toMatchObject(foreign);
    const cleared: Tpm2StoreRef = { ...newStore("sha256:1"), device: otherTpm.device };
    await (await openKeyStore(cleared)).close();
    tool("tpm2_clear", [], otherTpm);
    expect(await refusal(cleared)).toMatchObject({ ...foreign, path: sealedOf(cleared) });
  });

  test("needs an owner hierarchy without an authorization", async () => {
    tool("tpm2_changeauth", ["-c", "owner", "canary"], otherTpm);
    const thrown = await refusal({ ...newStore(), device: otherTpm.device });
    expect(thrown).toMatchObject({ code: "SIGNER_PIN_WRONG", exit: 3 });
    tool("tpm2_changeauth", ["-c", "owner", "-p", "canary"], otherTpm);
  });

  test("finds a sealed key that was changed, cut, lost, or taken from another store", async () => {
    const ref = await filled();
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
    copyFileSync(sealedOf(await filled()), path);
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_STORE_FOREIGN" });
    rmSync(path);
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_STORE_INCOMPLETE", path: ref.folder });
    expect(readdirSync(ref.folder)).not.toContain("wrapping-key.tpm2");
  });

  test("refuses registers that its TPM does not have, or that it was not sealed to", async () => {
    for (const pcrs of ["sha256:24", "sha1:0", "sha256"]) {
      expect(await refusal(newStore(pcrs))).toMatchObject({ code: "CUSTODY_PCRS_SELECTION", exit: 2 });
    }
    const ref = await filled();
    expect(await refusal({ ...ref, pcrs: "sha256:0" })).toMatchObject({
      code: "CUSTODY_PCRS_SELECTION",
      message: expect.stringContaining(PCRS),
    });
    expect(await keysOf({ ...ref, pcrs: "sha256:7,4,2,0" })).toBe(1);
  });

  test("is not made where there is no TPM, or something else", async () => {
    for (const device of ["/dev/nonexistent-tpm", "/dev/null"]) {
      const ref = { ...newStore(), device };
      expect(await refusal(ref)).toMatchObject({ code: "SIGNER_TOKEN_MISSING", exit: 4 });
      expect(readdirSync(ref.folder)).toEqual([]);
    }
  });

  test("opens from a copy of its folder on the same host", async () => {
    const ref = await filled();
    const copy = newStore();
    cpSync(ref.folder, copy.folder, { recursive: true });
    expect(await keysOf(copy)).toBe(1);
  });
});
