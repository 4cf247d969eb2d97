import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { hostErrors } from "../../stacks/host/errors.ts";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { TestCeremony } from "../test-ceremony.ts";
import { runCli } from "../test-io.ts";

const backend = vi.fn<OperatorClient>();
vi.mock("../../stacks/host/operator-client.ts", () => ({ operatorClient: async () => backend }));
// Journals of these tests are what a rotation leaves that nobody follows.
vi.mock("../../stacks/host/rotation/running.ts", () => ({ assertSomebodyRuns: () => undefined }));

const made = new TestCeremony();
const at = (file: string): string => join(made.dir, file);
const begun = (): string | undefined =>
  existsSync(at("rotation.json")) ? JSON.parse(readFileSync(at("rotation.json"), "utf8")).phase : undefined;
const now = (): Date => new Date(performance.now());
const rotate = async (...argv: readonly string[]) => {
  const all = ["certs", "rotate", ...argv, "--dir", made.dir, "--json"];
  const { exit, stdout } = await runCli(all, { cwd: made.cwd, env: { USER: "Ada" }, now });
  return { ...(JSON.parse(stdout) as Readonly<Record<string, unknown>>), exit };
};
/** Nothing runs, so nobody follows. */
const soon = ["--limit", "1"] as const;
const leafOf = (component: string): string =>
  new X509Certificate(readFileSync(at(`secrets/${component}/tls.crt`))).fingerprint256;
const ledger = (): readonly { readonly kind: string; readonly sha256: string; readonly subject: string }[] =>
  readFileSync(at("authorities/ledger.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const isRevoked = (fingerprint: string): boolean =>
  ledger().some(({ kind, sha256 }) => kind === "revoked" && sha256 === fingerprint.replaceAll(":", "").toLowerCase());
const events = (): string => readFileSync(at("logs/deploy.ndjson"), "utf8");

let gateways: readonly { readonly name: string; readonly state: string }[] = [];
beforeAll(async () => {
  expect((await made.run(...made.argv)).exit).toBe(0);
  await made.deploy();
}, 120_000);
afterAll(() => made.remove());
beforeEach(() => {
  gateways = [];
  backend.mockReset();
  backend.mockImplementation(async (method, path) => {
    if (method === "GET") return path === "/v1/gateways" ? gateways : [];
    return {};
  });
});

test("a rotation is refused at once where nothing runs, and nothing has begun", async () => {
  const { assertSomebodyRuns } = await vi.importActual<typeof import("../../stacks/host/rotation/running.ts")>(
    "../../stacks/host/rotation/running.ts",
  );
  const running = await import("../../stacks/host/rotation/running.ts");
  vi.spyOn(running, "assertSomebodyRuns").mockImplementationOnce(assertSomebodyRuns);
  expect(await rotate("--what", "leaf:backend")).toMatchObject({ exit: 4, error: { code: "ROTATION_NOT_RUNNING" } });
  expect(begun()).toBeUndefined();
});

describe("certs rotate --abandon", () => {
  test("refuses where nothing has begun, and beside --what", async () => {
    expect(await rotate("--abandon", "--yes")).toMatchObject({ exit: 6, error: { code: "ROTATION_NOTHING" } });
    expect(await rotate("--abandon", "--what", "root", "--yes")).toMatchObject({
      exit: 2,
      error: { code: "CLI_USAGE" },
    });
  });

  test("goes back with a root that nobody has in use, after it was asked", async () => {
    const root = readFileSync(at("authorities/root.crt"), "utf8");
    const key = ["--root-key", "next.age", "--passphrase-file", "words"];
    expect(await rotate("--what", "root", ...key, ...soon)).toMatchObject({ error: { code: "ROTATION_UNPROVEN" } });
    expect([begun(), readFileSync(at("secrets/backend/ca.crt"), "utf8") === root]).toEqual(["prove-trust", false]);
    expect(await rotate("--abandon")).toMatchObject({ exit: 2, error: { code: "CONFIRMATION_NEEDED" } });
    expect(begun()).toBe("prove-trust");
    expect(await rotate("--abandon", "--yes")).toMatchObject({ exit: 0, what: "root" });
    expect([begun(), readFileSync(at("secrets/backend/ca.crt"), "utf8")]).toEqual([undefined, root]);
    expect(ledger().filter(({ kind, subject }) => kind === "revoked" && subject === "TrustKern root")).toHaveLength(1);
    expect(events()).toMatch(/"kind":"ROTATION_STEP".*"object":"root".*"reason":"abandoned"/);
    expect((await made.run("certs", "transcript", "verify")).exit).toBe(0);
  });

  test("refuses once a leaf is issued: there is no way back", async () => {
    expect(await rotate("--what", "leaf:backend", ...soon)).toMatchObject({ error: { code: "ROTATION_UNPROVEN" } });
    expect(await rotate("--abandon", "--yes")).toMatchObject({ exit: 5, error: { code: "ROTATION_IN_USE" } });
    expect(begun()).toBe("prove-use");
    rmSync(at("rotation.json"));
  });
});

describe("a gateway that is revoked", () => {
  test("is given no leaf, and is not waited for; the others are", async () => {
    gateways = [{ name: "gw-01", state: "active" }];
    const before = await rotate("--what", "pin", ...soon);
    expect(before).toMatchObject({ error: { message: expect.stringContaining("gw-01") } });
    gateways = [{ name: "gw-01", state: "revoked" }];
    const after = await rotate(...soon);
    expect(after).toMatchObject({
      error: { code: "ROTATION_UNPROVEN", message: expect.not.stringContaining("gw-01") },
    });
    expect(await rotate("--abandon", "--yes")).toMatchObject({ exit: 0, what: "pin" });
  });

  test("is named by certs renew with the way to go on, and nothing is asked for it", async () => {
    gateways = [{ name: "gw-01", state: "revoked" }];
    const { exit, stderr } = await made.run("certs", "renew");
    expect([exit, stderr]).toEqual([0, expect.stringMatching(/gw-01: revoked for good.*take it out of gateways/)]);
    expect(backend.mock.calls.filter(([, path]) => path.startsWith("/v1/gateways/gw-01"))).toEqual([]);
  });

  test("begins no rotation of its own, and one that has begun is given up, its old leaf revoked", async () => {
    gateways = [{ name: "gw-01", state: "active" }];
    const old = leafOf("gw-01");
    expect(await rotate("--what", "leaf:gw-01", ...soon)).toMatchObject({ error: { code: "ROTATION_UNPROVEN" } });
    const issued = leafOf("gw-01");
    expect(issued).not.toBe(old);
    gateways = [{ name: "gw-01", state: "revoked" }];
    const stuck = await rotate(...soon);
    expect(stuck).toMatchObject({
      exit: 5,
      error: { code: "GATEWAY_REVOKED", fix: expect.stringContaining("--abandon") },
    });
    expect(await rotate("--abandon", "--yes")).toMatchObject({ exit: 0, what: "leaf:gw-01" });
    expect([begun(), isRevoked(old), leafOf("gw-01")]).toEqual([undefined, true, issued]);
    expect(await rotate("--what", "leaf:gw-01")).toMatchObject({ error: { code: "GATEWAY_REVOKED" } });
    expect(begun()).toBeUndefined();
  });

  test("stays revoked while the backend is away", async () => {
    backend.mockRejectedValue(hostErrors.error("SERVICE_FAILED", "nobody answers"));
    expect(await rotate("--what", "leaf:gw-01")).toMatchObject({ error: { code: "GATEWAY_REVOKED" } });
  });

  test("gets no leaf in place of one that is gone", async () => {
    rmSync(at("secrets/gw-01/tls.crt"));
    rmSync(at("secrets/collector/tls.crt"));
    expect(await made.json("certs", "renew")).toMatchObject({ exit: 0, renewed: ["collector"] });
    expect(existsSync(at("secrets/gw-01/tls.crt"))).toBe(false);
  });

  test("that is out of the deployment leaves a rotation that only ends by being given up", async () => {
    const memo = { "old.0": readFileSync(at("secrets/backend/tls.crt"), "utf8") };
    const journal = { schema: "trustkern.rotation/1", what: "leaf:gw-09", startedAt: "2026", phase: "prove-use", memo };
    writeFileSync(at("rotation.json"), JSON.stringify(journal));
    expect(await rotate()).toMatchObject({
      error: { code: "ROTATION_TARGET_UNKNOWN", fix: expect.stringContaining("--abandon") },
    });
    expect(await rotate("--abandon", "--yes")).toMatchObject({ exit: 0, what: "leaf:gw-09" });
    expect([begun(), isRevoked(leafOf("backend"))]).toEqual([undefined, true]);
  });

  test("a note of revoked gateways that was changed is not believed", async () => {
    writeFileSync(at("authorities/gateways.revoked.json"), '{"names":[]}');
    backend.mockImplementation(async () => ({}));
    expect(await rotate("--what", "pin")).toMatchObject({ exit: 2, error: { code: "STATE_CORRUPT" } });
  });
});
