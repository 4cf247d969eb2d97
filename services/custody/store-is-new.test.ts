import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openFileStore } from "../../custody/backends/file.ts";
import { storeIsNew } from "./store-is-new.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-new-store-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("is said of a folder until somebody's passphrase has made it a store", async () => {
  const place = { kind: "file", folder: join(folder, "keys") } as const;
  expect(storeIsNew(place)).toBe(true);
  const store = await openFileStore({ ...place, passphrase: Buffer.from(randomBytes(32).toString("hex")) });
  await store.close();
  expect(storeIsNew(place)).toBe(false);
});

it.each([
  ["a file has the passphrase", { kind: "file", folder, passphraseFile: "/run/secrets/passphrase" }],
  ["an identity opens it", { kind: "file", folder, identityFile: "/run/secrets/identity" }],
  ["a token has the keys", { kind: "pkcs11", server: "/run/token.sock" }],
  [
    "a server wraps the keys",
    { kind: "vault", address: "https://vault", mount: "m", key: "k", tokenFile: "/t", folder },
  ],
] as const)("is not said where %s", (_, keyStore) => {
  expect(storeIsNew(keyStore)).toBeUndefined();
});
