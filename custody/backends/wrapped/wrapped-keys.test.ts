import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it, vi } from "vitest";
import { describeKeyStore } from "../contract/key-store-contract.ts";
import { rawKey } from "../contract/key-store-samples.ts";
import { openFolder, TestFolders, testWrap } from "../contract/test-folders.ts";
import type { KeyWrap } from "./key-wrap.ts";

const folders = new TestFolders();
afterAll(() => folders.remove());

const SIGNER = "audit-signer.key";
const refusal = (opening: Promise<unknown>): Promise<unknown> => opening.catch((thrown: unknown) => thrown);

/** A wrap that gives something else for every key but the signer. */
function answering(answer: () => Buffer | null): KeyWrap {
  const honest = testWrap();
  return {
    ...honest,
    unwrap: async (wrapped, context) => (context === "audit-signer" ? honest.unwrap(wrapped, context) : answer()),
  };
}

let last = "";
describeKeyStore("of wrapped keys", {
  create: () => {
    last = folders.name();
    return openFolder(last);
  },
  reopen: () => openFolder(last),
});

describe("a store of wrapped keys", () => {
  it.each([
    ["another key", () => rawKey()],
    ["a key of 31 bytes", () => Buffer.alloc(31, 1)],
    ["a key of 33 bytes", () => Buffer.alloc(33, 1)],
  ])("takes no answer of %s for the key of a file", async (_, answer) => {
    const { folder, files } = await folders.filled();
    expect(await refusal(openFolder(folder, answering(answer)))).toMatchObject({
      code: "CUSTODY_STORE_CORRUPT",
      path: files[0],
    });
  });

  it("takes no key that it could not read back, and leaves no file of it", async () => {
    const folder = folders.name();
    const store = await openFolder(
      folder,
      answering(() => null),
    );
    await expect(store.generate()).rejects.toMatchObject({ code: "CUSTODY_STORE_FOREIGN" });
    expect(await store.list()).toEqual([]);
    expect(readdirSync(folder)).toEqual([SIGNER]);
  });

  it("leaves memory and disk as they were when it cannot write", async () => {
    const folder = folders.name();
    const store = await openFolder(folder);
    const kept = await store.generate();
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "in the way");
    await expect(store.generate()).rejects.toMatchObject({ code: "CUSTODY_STORE_UNWRITABLE" });
    await expect(store.destroy(kept.keyId)).rejects.toMatchObject({ code: "CUSTODY_STORE_UNWRITABLE" });
    expect(await store.list()).toEqual([kept]);
  });

  it("finishes what it has begun before it closes, and begins nothing more", async () => {
    const folder = folders.name();
    const said: string[] = [];
    const begun = Promise.withResolvers<void>();
    const honest = testWrap();
    const store = await openFolder(folder, {
      wrap: async (bytes, context) => {
        if (context !== "audit-signer") begun.resolve();
        await pause(20);
        return honest.wrap(bytes, context);
      },
      unwrap: honest.unwrap,
      close: async () => {
        said.push("closed");
        await honest.close();
      },
    });
    const asked = [store.generate(), store.generate()].map(refusal);
    await begun.promise;
    const closing = store.close();
    for (const thrown of await Promise.all(asked)) expect(thrown).toMatchObject({ code: "CUSTODY_STORE_CLOSED" });
    await closing;
    expect(said).toEqual(["closed"]);
    expect(await (await openFolder(folder)).list()).toHaveLength(1);
  });

  it("holds no key once it is closed", async () => {
    const { folder, keyIds } = await folders.filled();
    const set = vi.spyOn(Map.prototype, "set");
    const store = await openFolder(folder);
    const held = (set.mock.contexts as readonly Map<unknown, unknown>[]).find((map) => map.has(keyIds[0]));
    set.mockRestore();
    expect([...(held?.keys() ?? [])]).toEqual(keyIds);
    await store.close();
    expect(held?.size).toBe(0);
  });

  it("passes on what its wrap says of a place that does not answer", async () => {
    const { folder } = await folders.filled();
    const away = new Error("no answer");
    const dead = { ...testWrap(), unwrap: () => Promise.reject(away) };
    expect(await refusal(openFolder(folder, dead))).toBe(away);
  });
});
