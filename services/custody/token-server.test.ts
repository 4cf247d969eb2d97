import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createMemorySigner } from "../../certs/signers/index.ts";
import { openKeyStore } from "../../custody/backends/index.ts";
import type { KeyStore } from "../../custody/backends/key-store.ts";
import { serveToken, tokenHandlers } from "./token-server.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-token-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Nobody asks it for a key. */
const store = { facts: {}, signer: {} } as unknown as KeyStore;
const serve = (socket: string, of = store) => serveToken({ store: of, socket, onRefused: () => undefined });
const refused = (code: string) => ({
  code,
  path: "docker.custodySocket",
  fix: expect.stringContaining("docker.custodySocket"),
});

test("a second token server says which setting of the deployment names the socket", async () => {
  const close = await serve(join(folder, "sock"));
  await expect(serve(join(folder, "sock"))).rejects.toMatchObject(refused("CONTROL_SOCKET_IN_USE"));
  await close();
});

test.each([
  ["a folder that is not there", "nowhere/sock"],
  ["a path that is too long", `${"x".repeat(120)}`],
])("%s is said to be of that setting", async (_, name) => {
  await expect(serve(join(folder, name))).rejects.toMatchObject(refused("CONTROL_SOCKET_PATH"));
});

test("custody gives up within 2.5 s on a token that does not open a message, and on no slower call so soon", async () => {
  const { signer } = await createMemorySigner("P-256", "memory");
  const held = Promise.withResolvers<readonly []>();
  const hangs = () => held.promise;
  const facts = { custodyClass: "hardware", where: "token" };
  const stuck = { facts, signer, decapsulate: hangs, list: hangs } as unknown as KeyStore;
  const close = await serve(join(folder, "sock"), stuck);
  const custody = await openKeyStore({ kind: "pkcs11", server: join(folder, "sock") });
  const listed = custody.list();
  const started = performance.now();
  await expect(custody.decapsulate("00", [])).rejects.toMatchObject({ code: "CUSTODY_STORE_UNREACHABLE" });
  expect(performance.now() - started).toBeLessThan(2_500);
  held.resolve([]);
  expect(await listed).toEqual([]);
  await custody.close();
  await close();
});

test.each<readonly [string, () => Promise<object>]>([
  ["that it took", async () => ({ keyId: "00", publicKey: "00" })],
  ["that it refused", () => Promise.reject(new Error("full"))],
])("leaves nothing of an imported key %s in the request", async (_, answer) => {
  const seen: Buffer[] = [];
  const importKey = (key: Uint8Array) => {
    seen.push(Buffer.from(key));
    return answer();
  };
  const handlers = tokenHandlers({ ...store, importKey } as unknown as KeyStore);
  const privateKey = Buffer.alloc(32, 7);
  await Promise.allSettled([handlers.importKey({ privateKey } as unknown as Parameters<typeof handlers.importKey>[0])]);
  expect(seen).toEqual([Buffer.alloc(32, 7)]);
  expect(privateKey).toEqual(Buffer.alloc(32));
});
