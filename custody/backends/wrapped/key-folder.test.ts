import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { rawKey } from "../contract/key-store-samples.ts";
import { openFolder, TestFolders, testWrap } from "../contract/test-folders.ts";

const folders = new TestFolders();
afterAll(() => folders.remove());

const SIGNER = "audit-signer.key";
const refusal = (opening: Promise<unknown>): Promise<unknown> => opening.catch((thrown: unknown) => thrown);

describe("a folder of wrapped keys", () => {
  it("belongs to its user alone, and holds no private key in the clear", async () => {
    const folder = folders.name();
    const raw = rawKey();
    const { keyId } = await (await openFolder(folder)).importKey(raw);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).sort()).toEqual([SIGNER, `${keyId}.key`].sort());
    for (const file of readdirSync(folder)) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
      const bytes = readFileSync(join(folder, file));
      for (const form of [raw, raw.toString("hex"), raw.toString("base64")]) expect(bytes.includes(form)).toBe(false);
    }
  });

  it("finds every changed byte of a key's file, and of the signer's", async () => {
    const { folder, files } = await folders.filled();
    for (const file of [files[0]!, join(folder, SIGNER)]) {
      const bytes = readFileSync(file);
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        writeFileSync(file, changed);
        expect(await refusal(openFolder(folder)), `byte ${at}`).toMatchObject({
          code: "CUSTODY_STORE_CORRUPT",
          path: file,
        });
      }
      writeFileSync(file, bytes);
    }
    expect(await (await openFolder(folder)).list()).toHaveLength(2);
  });

  it.each([0, 1, 60, 120, 150])("calls a file cut to %i bytes corrupt, and shows none of it", async (length) => {
    const { folder, files } = await folders.filled();
    const bytes = readFileSync(files[0]!);
    writeFileSync(files[0]!, bytes.subarray(0, length));
    const thrown = await refusal(openFolder(folder));
    expect(thrown).toMatchObject({ code: "CUSTODY_STORE_CORRUPT", path: files[0], exit: 4 });
    expect(inspect(thrown, { depth: 9 })).not.toContain(bytes.subarray(-16).toString("latin1"));
  });

  it("finds a key's file under the name of another, of nobody and of the signer", async () => {
    const { folder, files, keyIds } = await folders.filled();
    for (const name of [`${keyIds[1]}.key`, `${"0".repeat(16)}.key`, SIGNER]) {
      const there = join(folder, name);
      const before = readdirSync(folder).includes(name) ? readFileSync(there) : null;
      copyFileSync(files[0]!, there);
      expect(await refusal(openFolder(folder))).toMatchObject({
        code: "CUSTODY_STORE_MISPLACED",
        path: there,
        message: expect.stringContaining(keyIds[0]!),
      });
      if (before) writeFileSync(there, before);
      else rmSync(there);
    }
  });

  it.each(["copy.key", "0123456789ABCDEF.key", "0123456789abcdef (1).key", ".key"])("refuses %s", async (name) => {
    const { folder, files } = await folders.filled();
    copyFileSync(files[0]!, join(folder, name));
    expect(await refusal(openFolder(folder))).toMatchObject({
      code: "CUSTODY_STORE_MISPLACED",
      path: join(folder, name),
    });
  });

  it("is nothing to another wrapping key", async () => {
    const { folder } = await folders.filled();
    expect(await refusal(openFolder(folder, testWrap(randomBytes(32))))).toMatchObject({
      code: "CUSTODY_STORE_FOREIGN",
      exit: 3,
    });
  });

  it("is refused when it has keys and lost its signer", async () => {
    const { folder } = await folders.filled();
    rmSync(join(folder, SIGNER));
    expect(await refusal(openFolder(folder))).toMatchObject({ code: "CUSTODY_STORE_INCOMPLETE", path: folder });
    expect(readdirSync(folder)).not.toContain(SIGNER);
  });

  it("forgets what a killed process had begun to write", async () => {
    const { folder, files, keyIds } = await folders.filled();
    writeFileSync(join(folder, `${"0".repeat(16)}.key.tmp`), "torn");
    writeFileSync(`${files[0]}.tmp`, readFileSync(files[0]!).subarray(0, 90));
    const store = await openFolder(folder);
    expect((await store.list()).map(({ keyId }) => keyId)).toEqual(keyIds);
    expect(readdirSync(folder).sort()).toEqual([SIGNER, ...keyIds.map((keyId) => `${keyId}.key`)].sort());
  });

  it("leaves what others keep in it", async () => {
    const { folder } = await folders.filled();
    writeFileSync(join(folder, "identity.age"), "other");
    mkdirSync(join(folder, "lost+found"));
    expect(await (await openFolder(folder)).list()).toHaveLength(2);
    expect(readFileSync(join(folder, "identity.age"), "utf8")).toBe("other");
  });

  it("tells what cannot be read or written from what is corrupt", async () => {
    const { folder, files } = await folders.filled();
    // A folder in the file's place is unreadable even for root.
    rmSync(files[0]!);
    mkdirSync(files[0]!);
    expect(await refusal(openFolder(folder))).toMatchObject({ code: "CUSTODY_STORE_UNREADABLE", path: files[0] });
    const beneath = join(files[1]!, "keys");
    expect(await refusal(openFolder(beneath))).toMatchObject({ code: "CUSTODY_STORE_UNWRITABLE", path: beneath });
  });
});
