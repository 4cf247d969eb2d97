import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { testServerTls } from "../contract/test-transit.ts";
import { connectAwsKms } from "./aws-kms-client.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-kms-tls-"));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test("takes no server that nobody vouches for, even when the environment wants none verified", async () => {
  let asked = 0;
  const server = createServer(await testServerTls(folder), (_, response) => {
    asked += 1;
    response.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: "0", AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "x" };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const [response] = await once(request(endpoint, { agent: false }).end(), "response");
  response.resume();
  expect(asked).toBe(1);
  const kms = await connectAwsKms(
    { region: "eu-central-1", keyId: "k", endpoint },
    () => import("@aws-sdk/client-kms"),
  );
  await expect(kms.describe("k")).rejects.toMatchObject({ code: "CUSTODY_STORE_UNREACHABLE" });
  expect(asked).toBe(1);
  kms.close();
  server.close();
});
