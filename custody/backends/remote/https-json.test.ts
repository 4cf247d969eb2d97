import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls, { type SecureVersion } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testServerTls } from "../contract/test-transit.ts";
import { httpsJson } from "./https-json.ts";

const LIMITS = { timeoutMs: 5_000, maxBytes: 1_024 };
const folder = mkdtempSync(join(tmpdir(), "tk-https-json-"));
const usual = { version: tls.DEFAULT_MIN_VERSION, ciphers: tls.DEFAULT_CIPHERS };
let pair: { readonly cert: string; readonly key: string };
let ca: string;
let server: Server;
let url: URL;
beforeAll(async () => {
  pair = await testServerTls(folder);
  ca = readFileSync(join(folder, "ca.crt"), "utf8");
});
afterAll(() => rmSync(folder, { recursive: true }));
// As who starts Node with --tls-min-v1.0 and a list of ciphers for old servers.
beforeEach(() => {
  tls.DEFAULT_MIN_VERSION = "TLSv1";
  tls.DEFAULT_CIPHERS = "DEFAULT@SECLEVEL=0";
});
afterEach(() => {
  tls.DEFAULT_MIN_VERSION = usual.version;
  tls.DEFAULT_CIPHERS = usual.ciphers;
  server.close();
});

/** A server that speaks that version alone. */
async function serve(version: SecureVersion): Promise<void> {
  const only = { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" };
  server = createServer({ ...pair, ...only }, (_, response) => void response.end('{"a":1}'));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
const ask = () => httpsJson({ url, method: "GET", headers: {}, ca }, LIMITS);

describe("a request to a key service, in an environment that takes any version of TLS", () => {
  test.each(["TLSv1", "TLSv1.1"] as const)("refuses %s, which every other request takes", async (version) => {
    await serve(version);
    const [response] = await once(request(url, { ca, agent: false }).end(), "response");
    response.resume();
    expect(response.statusCode).toBe(200);
    await expect(ask()).rejects.toThrow(/protocol version/);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("takes %s", async (version) => {
    await serve(version);
    expect(await ask()).toEqual({ status: 200, body: { a: 1 } });
  });
});
