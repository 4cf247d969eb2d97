import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { describeKeyStore } from "./key-store-contract.ts";
import { aesKeyWrap } from "./key-wrap.ts";
import { openWrappedKeys } from "./wrapped-keys.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const KEY = randomBytes(32);
const facts = { kind: "file", custodyClass: "software", keysInUse: "in-memory", where: "file:folder=test" } as const;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "wrapped-"));
  folders.push(folder);
  return folder;
}

const openAt = (folder: string, key = KEY) => openWrappedKeys({ folder, facts, wrap: aesKeyWrap(Buffer.from(key)) });

let last = "";
describeKeyStore("of wrapped keys", {
  create: () => {
    last = newFolder();
    return openAt(last);
  },
  reopen: () => openAt(last),
});
