import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { generateHybridIdentity, generateX25519Identity } from "age-encryption";
import { afterAll, describe, expect, it } from "vitest";
import { describeKeyStore } from "./contract/key-store-contract.ts";
import { rawKey } from "./contract/key-store-samples.ts";
import type { FileStoreRef } from "./file.ts";
import { openKeyStore } from "./index.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const PASSPHRASE = randomBytes(32).toString("hex");
const IDENTITY = await generateX25519Identity();

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "file-store-"));
  folders.push(folder);
  return folder;
}

function withPassphrase(passphrase = PASSPHRASE): FileStoreRef {
  const folder = newFolder();
  writeFileSync(join(folder, "passphrase"), `${passphrase}\n`, { mode: 0o600 });
  return {
    kind: "file",
    folder: join(folder, "keys"),
    passphraseFile: join(folder, "passphrase"),
    scryptWorkFactor: 10,
  };
}

function withIdentity(text = IDENTITY): FileStoreRef {
  const folder = newFolder();
  writeFileSync(join(folder, "identity"), text, { mode: 0o600 });
  return { kind: "file", folder: join(folder, "keys"), identityFile: join(folder, "identity") };
}

async function filled(ref: FileStoreRef): Promise<FileStoreRef> {
  const store = await openKeyStore(ref);
  await store.generate();
  await store.close();
  return ref;
}

const refusal = (ref: FileStoreRef): Promise<unknown> =>
  openKeyStore(ref).then(
    () => null,
    (thrown: unknown) => thrown,
  );
const identityOf = (ref: FileStoreRef): string => join(ref.folder, "identity.age");

for (const [name, ref] of [
  ["file, passphrase", withPassphrase],
  ["file, identity", withIdentity],
] as const) {
  let last = ref();
  describeKeyStore(name, {
    create: () => {
      last = ref();
      return openKeyStore(last);
    },
    reopen: () => openKeyStore(last),
  });
}

describe("a file store with a passphrase", () => {
  it("says what it is", async () => {
    const ref = withPassphrase();
    const where = `file:folder=${ref.folder}`;
    const { facts } = await openKeyStore(ref);
    expect(facts).toEqual({ kind: "file", custodyClass: "software", keysInUse: "in-memory", where });
  });

  it("is files for their owner alone, with no private key in the clear", async () => {
    const ref = withPassphrase();
    const raw = rawKey();
    const { keyId } = await (await openKeyStore(ref)).importKey(raw);
    expect(readdirSync(ref.folder).sort()).toEqual([`${keyId}.key`, "audit-signer.key", "identity.age"].sort());
    for (const file of readdirSync(ref.folder)) {
      expect(statSync(join(ref.folder, file)).mode & 0o777).toBe(0o600);
      const bytes = readFileSync(join(ref.folder, file));
      for (const form of [raw, raw.toString("hex"), raw.toString("base64"), "AGE-SECRET-KEY"])
        expect(bytes.includes(form)).toBe(false);
    }
  });

  it("says that a passphrase is wrong, and shows neither it nor the right one", async () => {
    const ref = await filled(withPassphrase());
    const wrong = randomBytes(32).toString("hex");
    writeFileSync(join(ref.folder, "..", "passphrase"), wrong);
    const thrown = await refusal(ref);
    expect(thrown).toMatchObject({ code: "CUSTODY_PASSPHRASE_WRONG", path: identityOf(ref), exit: 3 });
    const said = inspect(thrown, { depth: 9 });
    for (const secret of [wrong, PASSPHRASE]) expect(said).not.toContain(secret);
  });

  it("calls a changed identity corrupt, and never a wrong passphrase", async () => {
    const ref = await filled(withPassphrase());
    const bytes = readFileSync(identityOf(ref));
    for (let at = 0; at < bytes.length; at += 5) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(identityOf(ref), changed);
      expect(await refusal(ref), `byte ${at}`).toMatchObject({ code: "CUSTODY_STATE_CORRUPT", path: identityOf(ref) });
    }
  });

  it("makes no new identity beside keys that another opened", async () => {
    const ref = await filled(withPassphrase());
    rmSync(identityOf(ref));
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_STORE_INCOMPLETE", path: ref.folder });
    expect(readdirSync(ref.folder)).not.toContain("identity.age");
  });

  it("tells keys of another identity from corrupt ones", async () => {
    const ref = await filled(withPassphrase());
    copyFileSync(identityOf(await filled(withPassphrase())), identityOf(ref));
    expect(await refusal(ref)).toMatchObject({
      code: "CUSTODY_STORE_FOREIGN",
      path: join(ref.folder, "audit-signer.key"),
    });
  });

  it("goes on where it was killed after its identity was made", async () => {
    const ref = withPassphrase();
    await (await openKeyStore(ref)).close();
    const identity = readFileSync(identityOf(ref));
    rmSync(join(ref.folder, "audit-signer.key"));
    writeFileSync(`${identityOf(ref)}.tmp`, "torn");
    await (await openKeyStore(ref)).generate();
    expect(readFileSync(identityOf(ref))).toEqual(identity);
  });

  it.each(["", "short", "a".repeat(40)])("is not made with the passphrase %j", async (passphrase) => {
    const ref = withPassphrase(passphrase);
    const { scryptWorkFactor: _, ...plain } = { scryptWorkFactor: 10, ...ref };
    expect(await refusal(plain)).toMatchObject({
      code: passphrase === "" ? "CUSTODY_PASSPHRASE_MISSING" : "CUSTODY_PASSPHRASE_WEAK",
    });
    expect(readdirSync(join(ref.folder, ".."))).not.toContain("identity.age");
  });

  it("stretches no passphrase that a person may have chosen with less than 18", async () => {
    expect(await refusal(withPassphrase("cork otter lamp ruin mint frost"))).toMatchObject({
      code: "CUSTODY_WORK_FACTOR_RANGE",
    });
  });
});

describe("a file store with an identity", () => {
  it.each([
    ["with the comments of age-keygen", () => `# created: 2026\r\n# public key: age1x\r\n${IDENTITY}\r\n`],
    ["of ML-KEM and X25519", async () => generateHybridIdentity()],
  ])("takes one %s, and keeps none in its folder", async (_, text) => {
    const ref = await filled(withIdentity(await text()));
    expect(readdirSync(ref.folder)).not.toContain("identity.age");
    expect(await (await openKeyStore(ref)).list()).toHaveLength(1);
  });

  it.each([
    ["nothing", ""],
    ["a comment alone", "# AGE-SECRET-KEY-1\n"],
    ["two", `${IDENTITY}\n${IDENTITY}\n`],
    ["a damaged one", `${IDENTITY.slice(0, -1)}\n`],
    ["a damaged one of ML-KEM", "AGE-SECRET-KEY-PQ-1CANARY"],
    ["a recipient", "age1canary"],
    ["an encrypted one", "-----BEGIN AGE ENCRYPTED FILE-----\ncanary\n-----END AGE ENCRYPTED FILE-----\n"],
  ])("refuses a file that holds %s, and shows none of it", async (_, text) => {
    const ref = withIdentity(text);
    const thrown = await refusal(ref);
    expect(thrown).toMatchObject({
      code: "CUSTODY_IDENTITY_INVALID",
      path: join(ref.folder, "..", "identity"),
      exit: 2,
    });
    expect(inspect(thrown, { depth: 9 })).not.toMatch(/canary|SECRET-KEY-1[A-Z0-9]/i);
  });

  it("refuses another identity than its files were made for", async () => {
    const ref = await filled(withIdentity());
    writeFileSync(join(ref.folder, "..", "identity"), await generateX25519Identity());
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_STORE_FOREIGN", exit: 3 });
  });

  it("cannot read an identity that is not there", async () => {
    const ref = withIdentity();
    rmSync(join(ref.folder, "..", "identity"));
    expect(await refusal(ref)).toMatchObject({ code: "CUSTODY_STORE_UNREADABLE" });
  });
});
