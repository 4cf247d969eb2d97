import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import type { KeyStore } from "./key-store.ts";
import { describeKeyStore } from "./key-store-contract.ts";
import { rawKey } from "./key-store-samples.ts";
import { aesKeyWrap, type KeyWrap } from "./key-wrap.ts";
import { openWrappedKeys } from "./wrapped-keys.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const KEY = randomBytes(32);
const facts = { kind: "file", custodyClass: "software", keysInUse: "in-memory", where: "file:folder=test" } as const;
const SIGNER = "audit-signer.key";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "wrapped-"));
  folders.push(folder);
  return join(folder, "keys");
}

const wrapWith = (key: Buffer): KeyWrap => aesKeyWrap(Buffer.from(key));
const openAt = (folder: string, wrap = wrapWith(KEY)): Promise<KeyStore> => openWrappedKeys({ folder, facts, wrap });
const refusal = (opening: Promise<unknown>): Promise<unknown> => opening.catch((thrown: unknown) => thrown);

/** A closed store with two keys. */
async function filled(): Promise<{ folder: string; files: readonly string[]; keyIds: readonly string[] }> {
  const folder = newFolder();
  const store = await openAt(folder);
  const keyIds = [await store.generate(), await store.generate()].map(({ keyId }) => keyId).sort();
  await store.close();
  return { folder, keyIds, files: keyIds.map((keyId) => join(folder, `${keyId}.key`)) };
}

/** A wrap that gives something else for every key but the signer. */
function answering(answer: () => Buffer | null): KeyWrap {
  const honest = wrapWith(KEY);
  return {
    ...honest,
    unwrap: async (wrapped, context) => (context === "audit-signer" ? honest.unwrap(wrapped, context) : answer()),
  };
}

let last = "";
describeKeyStore("of wrapped keys", {
  create: () => {
    last = newFolder();
    return openAt(last);
  },
  reopen: () => openAt(last),
});

describe("a folder of wrapped keys", () => {
  it("belongs to its user alone, and holds no private key in the clear", async () => {
    const folder = newFolder();
    const raw = rawKey();
    const { keyId } = await (await openAt(folder)).importKey(raw);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).sort()).toEqual([SIGNER, `${keyId}.key`].sort());
    for (const file of readdirSync(folder)) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
      const bytes = readFileSync(join(folder, file));
      for (const form of [raw, raw.toString("hex"), raw.toString("base64")]) expect(bytes.includes(form)).toBe(false);
    }
  });

  it("finds every changed byte of a key's file, and of the signer's", async () => {
    const { folder, files } = await filled();
    for (const file of [files[0]!, join(folder, SIGNER)]) {
      const bytes = readFileSync(file);
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        writeFileSync(file, changed);
        expect(await refusal(openAt(folder)), `byte ${at}`).toMatchObject({
          code: "CUSTODY_STORE_CORRUPT",
          path: file,
        });
      }
      writeFileSync(file, bytes);
    }
    expect(await (await openAt(folder)).list()).toHaveLength(2);
  });

  it.each([0, 1, 60, 120, 150])("calls a file cut to %i bytes corrupt, and shows none of it", async (length) => {
    const { folder, files } = await filled();
    const bytes = readFileSync(files[0]!);
    writeFileSync(files[0]!, bytes.subarray(0, length));
    const thrown = await refusal(openAt(folder));
    expect(thrown).toMatchObject({ code: "CUSTODY_STORE_CORRUPT", path: files[0], exit: 4 });
    expect(inspect(thrown, { depth: 9 })).not.toContain(bytes.subarray(-16).toString("latin1"));
  });

  it("finds a key's file under the name of another, of nobody and of the signer", async () => {
    const { folder, files, keyIds } = await filled();
    for (const name of [`${keyIds[1]}.key`, `${"0".repeat(16)}.key`, SIGNER]) {
      const there = join(folder, name);
      const before = readdirSync(folder).includes(name) ? readFileSync(there) : null;
      copyFileSync(files[0]!, there);
      expect(await refusal(openAt(folder))).toMatchObject({
        code: "CUSTODY_STORE_MISPLACED",
        path: there,
        message: expect.stringContaining(keyIds[0]!),
      });
      if (before) writeFileSync(there, before);
      else rmSync(there);
    }
  });

  it.each(["copy.key", "0123456789ABCDEF.key", "0123456789abcdef (1).key", ".key"])("refuses %s", async (name) => {
    const { folder, files } = await filled();
    copyFileSync(files[0]!, join(folder, name));
    expect(await refusal(openAt(folder))).toMatchObject({
      code: "CUSTODY_STORE_MISPLACED",
      path: join(folder, name),
    });
  });

  it("is nothing to another wrapping key", async () => {
    const { folder } = await filled();
    expect(await refusal(openAt(folder, wrapWith(randomBytes(32))))).toMatchObject({
      code: "CUSTODY_STORE_FOREIGN",
      exit: 3,
    });
  });

  it.each([
    ["another key", () => rawKey()],
    ["a key of 31 bytes", () => Buffer.alloc(31, 1)],
    ["a key of 33 bytes", () => Buffer.alloc(33, 1)],
  ])("takes no answer of %s for the key of a file", async (_, answer) => {
    const { folder, files } = await filled();
    expect(await refusal(openAt(folder, answering(answer)))).toMatchObject({
      code: "CUSTODY_STORE_CORRUPT",
      path: files[0],
    });
  });

  it("takes no key that it could not read back, and leaves no file of it", async () => {
    const folder = newFolder();
    const store = await openAt(
      folder,
      answering(() => null),
    );
    await expect(store.generate()).rejects.toMatchObject({ code: "CUSTODY_STORE_FOREIGN" });
    expect(await store.list()).toEqual([]);
    expect(readdirSync(folder)).toEqual([SIGNER]);
  });

  it("is refused when it has keys and lost its signer", async () => {
    const { folder } = await filled();
    rmSync(join(folder, SIGNER));
    expect(await refusal(openAt(folder))).toMatchObject({ code: "CUSTODY_STORE_INCOMPLETE", path: folder });
    expect(readdirSync(folder)).not.toContain(SIGNER);
  });

  it("forgets what a killed process had begun to write", async () => {
    const { folder, files, keyIds } = await filled();
    writeFileSync(join(folder, `${"0".repeat(16)}.key.tmp`), "torn");
    writeFileSync(`${files[0]}.tmp`, readFileSync(files[0]!).subarray(0, 90));
    const store = await openAt(folder);
    expect((await store.list()).map(({ keyId }) => keyId)).toEqual(keyIds);
    expect(readdirSync(folder).sort()).toEqual([SIGNER, ...keyIds.map((keyId) => `${keyId}.key`)].sort());
  });

  it("leaves what others keep in it", async () => {
    const { folder } = await filled();
    writeFileSync(join(folder, "identity.age"), "other");
    mkdirSync(join(folder, "lost+found"));
    expect(await (await openAt(folder)).list()).toHaveLength(2);
    expect(readFileSync(join(folder, "identity.age"), "utf8")).toBe("other");
  });

  it("tells what cannot be read or written from what is corrupt", async () => {
    const { folder, files } = await filled();
    // A folder in the file's place is unreadable even for root.
    rmSync(files[0]!);
    mkdirSync(files[0]!);
    expect(await refusal(openAt(folder))).toMatchObject({ code: "CUSTODY_STORE_UNREADABLE", path: files[0] });
    const beneath = join(files[1]!, "keys");
    expect(await refusal(openAt(beneath))).toMatchObject({ code: "CUSTODY_STORE_UNWRITABLE", path: beneath });
  });

  it("leaves memory and disk as they were when it cannot write", async () => {
    const folder = newFolder();
    const store = await openAt(folder);
    const kept = await store.generate();
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "in the way");
    await expect(store.generate()).rejects.toMatchObject({ code: "CUSTODY_STORE_UNWRITABLE" });
    await expect(store.destroy(kept.keyId)).rejects.toMatchObject({ code: "CUSTODY_STORE_UNWRITABLE" });
    expect(await store.list()).toEqual([kept]);
  });

  it("finishes what it has begun before it closes, and begins nothing more", async () => {
    const folder = newFolder();
    const store = await openAt(folder);
    const asked = [refusal(store.generate()), refusal(store.generate())];
    await store.close();
    for (const thrown of await Promise.all(asked)) expect(thrown).toMatchObject({ code: "CUSTODY_STORE_CLOSED" });
    await expect((await openAt(folder)).list()).resolves.toBeDefined();
  });

  it("passes on what its wrap says of a place that does not answer", async () => {
    const { folder } = await filled();
    const away = new Error("no answer");
    const dead = { ...wrapWith(KEY), unwrap: () => Promise.reject(away) };
    expect(await refusal(openAt(folder, dead))).toBe(away);
  });
});
