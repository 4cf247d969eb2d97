import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyStore } from "../key-store.ts";
import { aesKeyWrap, type KeyWrap } from "../wrapped/key-wrap.ts";
import { openWrappedKeys } from "../wrapped/wrapped-keys.ts";

const KEY = randomBytes(32);
const facts = { kind: "file", custodyClass: "software", keysInUse: "in-memory", where: "file:folder=test" } as const;

/** Stores of wrapped keys for a test, in folders that go with it. */
export class TestFolders {
  readonly #folders: string[] = [];

  /** A folder that is not there yet. */
  name(): string {
    const folder = mkdtempSync(join(tmpdir(), "wrapped-"));
    this.#folders.push(folder);
    return join(folder, "keys");
  }

  /** A closed store with two keys. */
  async filled(): Promise<{ folder: string; files: readonly string[]; keyIds: readonly string[] }> {
    const folder = this.name();
    const store = await openFolder(folder);
    const keyIds = [await store.generate(), await store.generate()].map(({ keyId }) => keyId).sort();
    await store.close();
    return { folder, keyIds, files: keyIds.map((keyId) => join(folder, `${keyId}.key`)) };
  }

  remove(): void {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** The wrap of every test, or one with another key. */
export function testWrap(key = KEY): KeyWrap {
  return aesKeyWrap(Buffer.from(key));
}

/** Opens a folder of wrapped keys. */
export function openFolder(folder: string, wrap = testWrap()): Promise<KeyStore> {
  return openWrappedKeys({ folder, facts, wrap });
}
