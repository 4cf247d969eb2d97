import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KeyStore } from "../../custody/backends/key-store.ts";
import { serveToken } from "./token-server.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-token-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Nobody asks it for a key. */
const store = { facts: {}, signer: {} } as unknown as KeyStore;
const serve = (socket: string) => serveToken({ store, socket, onRefused: () => undefined });
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
