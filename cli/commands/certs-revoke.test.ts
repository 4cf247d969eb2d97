import { X509Certificate } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { normalSerial } from "../../certs/serial.ts";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { TestCeremony } from "../test-ceremony.ts";
import { runCli } from "../test-io.ts";

const backend = vi.fn<OperatorClient>();
vi.mock("../../stacks/host/operator-client.ts", () => ({ operatorClient: () => backend }));

const made = new TestCeremony();
const serialOf = (component: string): string =>
  new X509Certificate(readFileSync(join(made.dir, "secrets", component, "tls.crt"))).serialNumber;
const revoke = (serial: string, ...more: readonly string[]) => made.run("certs", "revoke", serial, "--yes", ...more);

beforeAll(async () => {
  expect((await made.run(...made.argv)).exit).toBe(0);
  await made.deploy();
}, 120_000);
afterAll(() => made.remove());
beforeEach(() => {
  backend.mockReset();
  backend.mockResolvedValue({});
});

it("says who shows the certificate still, and what replaces it", async () => {
  const { exit, stdout } = await revoke(serialOf("collector"));
  expect(exit).toBe(0);
  expect(stdout).toContain("collector shows it still: trustkern certs rotate --what leaf:collector");
});

it("says of a second time when it was revoked and why, and publishes it again", async () => {
  const colons = (serialOf("gw-01").match(/../g) ?? []).join(":");
  expect(await revoke(colons, "--reason", "keyCompromise")).toMatchObject({ exit: 0 });
  backend.mockClear();
  const { stdout } = await revoke(colons);
  expect(stdout).toMatch(/^was revoked already, at 1970-01-01T00:00:00\.000Z: gw-01 [0-9a-f]+ \(keyCompromise\)/);
  expect(backend.mock.calls.map(([method, path]) => `${method} ${path}`)).toContain("PUT /v1/crls");
  const answer = await made.json("certs", "revoke", colons, "--reason", "superseded");
  expect(answer).toMatchObject({
    serial: normalSerial(serialOf("gw-01")),
    reason: "keyCompromise",
    already: true,
    usedBy: ["gw-01"],
  });
});

it("is followed by a renewal that says what it did, watching or not", async () => {
  const serial = serialOf("backend");
  await revoke(serial);
  expect((await made.run("certs", "renew")).stdout).toBe("nothing is due\n");
  rmSync(join(made.dir, "authorities/crls/services.pem"));
  const controller = new AbortController();
  controller.abort();
  const at = { cwd: made.cwd, cancelled: controller.signal };
  const { exit, stdout, stderr } = await runCli(["certs", "renew", "--watch", "--dir", made.dir], at);
  expect([exit, stdout]).toEqual([0, "made anew: the lists of TrustKern services\n"]);
  expect(stderr).toContain("watching: looks every 60 s");
});

it("has the reason that an authority elsewhere recorded", async () => {
  backend.mockResolvedValue({ reason: "keyCompromise", state: "revoked" });
  const answer = await made.json("certs", "revoke", "abc123", "--yes", "--reason", "superseded");
  expect(answer).toMatchObject({ exit: 0, serial: "abc123", reason: "keyCompromise", usedBy: [] });
});
