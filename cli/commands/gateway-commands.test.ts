import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { type Outcome, runCli } from "../test-io.ts";

const operator = vi.fn<OperatorClient>();
vi.mock("./certs-context.ts", () => ({
  certsSite: async () => ({ operator: async () => operator }),
  // What the host does about it is in revoked-gateways.test.ts.
  changing: async () => undefined,
}));

const TOKEN = `gw_${"a".repeat(54)}`;
const made = { id: "0123456789abcdef", token: TOKEN, expires_at: "2027-02-19T08:00:00.000Z" };
const folder = mkdtempSync(join(tmpdir(), "tk-gw-cli-"));
const run = (line: string, stdin = ""): Promise<Outcome> =>
  runCli(line.split(" "), { cwd: folder, stdin: new TextEncoder().encode(stdin) });

beforeEach(() => {
  operator.mockReset();
  operator.mockResolvedValue({});
});

describe("trustkern gateway token", () => {
  it.each(["issue", "rotate"])("%s prints the token alone on stdout, once", async (verb) => {
    operator.mockResolvedValue(made);
    const { exit, stdout, stderr } = await run(`gateway token ${verb} gw-01`);
    expect([exit, stdout]).toEqual([0, `${TOKEN}\n`]);
    expect(stderr).toContain(made.id);
    expect(stderr).not.toContain(TOKEN);
  });

  it.each(["issue", "rotate"])("%s --json prints one document and nothing else", async (verb) => {
    operator.mockResolvedValue(made);
    const { stdout, stderr } = await run(`gateway token ${verb} gw-01 --json`);
    expect(JSON.parse(stdout)).toEqual({ schema: "trustkern.gateway-token/1", gateway: "gw-01", ...made });
    expect(stderr).toBe("");
  });

  it("list shows when each was used, and no token", async () => {
    operator.mockResolvedValue([{ ...made, token: undefined, last_used_at: "2026-11-21T08:00:00.000Z" }]);
    const { stdout } = await run("gateway token list gw-01");
    expect(stdout).toMatch(/last_used_at/);
    expect(stdout).toContain("2026-11-21T08:00:00.000Z");
    expect(stdout).not.toContain("gw_");
  });
});

describe("each command asks the backend for what it says", () => {
  const record = join(folder, "made.jws");
  writeFileSync(record, "a.b.c\n");
  it.each<[string, ...Parameters<OperatorClient>]>([
    ["gateway list", "GET", "/v1/gateways"],
    ["gateway assign gw-07 0123456789ABCDEF01", "PUT", "/v1/gateways/gw-07", { hardware_id: "0123456789abcdef01" }],
    ["gateway allow-again gw-07", "POST", "/v1/gateways/gw-07/allow-again"],
    ["gateway revoke gw-07 --yes", "POST", "/v1/gateways/gw-07/revoke", { reason: "unspecified" }],
    ["gateway token issue gw-07", "POST", "/v1/gateways/gw-07/tokens", {}],
    [
      "gateway token issue gw-07 --days 7 --certificate 00:7F",
      "POST",
      "/v1/gateways/gw-07/tokens",
      { lifetime_days: 7, certificate_serial: "7f" },
    ],
    ["gateway token rotate gw-07 --overlap-hours 0", "POST", "/v1/gateways/gw-07/tokens/rotate", { overlap_hours: 0 }],
    ["gateway token revoke gw-07 0123456789abcdef --yes", "POST", "/v1/gateways/gw-07/tokens/0123456789abcdef/revoke"],
    ["device list", "GET", "/v1/device-records"],
    [`device import ${record}`, "POST", "/v1/device-records", { record: "a.b.c" }],
    ["device revoke 01020304 --yes", "POST", "/v1/device-records/01020304/revoke"],
    ["device revoke 01020304050607080A --sensor --yes", "POST", "/v1/devices/01020304050607080a/revoke"],
    ["device maker add zeta --key 04AB", "PUT", "/v1/makers/zeta", { public_key: "04ab" }],
    [`device maker add zeta --certificate ${record}`, "PUT", "/v1/makers/zeta", { certificate_pem: "a.b.c\n" }],
  ])("%s", async (line, ...call) => {
    operator.mockResolvedValue(line.includes("list") ? [] : made);
    expect(await run(line)).toMatchObject({ exit: 0 });
    expect(operator.mock.calls).toEqual([call]);
  });

  it("device import - reads stdin", async () => {
    await run("device import -", "d.e.f\n");
    expect(operator).toHaveBeenCalledWith("POST", "/v1/device-records", { record: "d.e.f" });
  });
});

it.each([
  ["device revoke 01020304", "CONFIRMATION_NEEDED"],
  ["device maker add zeta", "CLI_USAGE"],
  ["gateway token issue gw-07 --days 0", "CLI_USAGE"],
  ["gateway token issue gw-07 --days 366", "CLI_USAGE"],
  ["gateway token rotate gw-07 --overlap-hours 169", "CLI_USAGE"],
  ["gateway token issue", "CLI_USAGE"],
  ["gateway assign gw-07", "CLI_USAGE"],
  ["gateway allow-again", "CLI_USAGE"],
  ["gateway allow-again ../makers", "CLI_USAGE"],
  ["gateway token list ../makers", "CLI_USAGE"],
  ["gateway token issue gw-07 --certificate 7G", "CLI_USAGE"],
  ["gateway assign gw-07 0102", "CLI_USAGE"],
  ["gateway revoke svc-backend --yes", "CLI_USAGE"],
  ["device revoke gw-01 --yes", "CLI_USAGE"],
  ["device revoke 01020304 --sensor --yes", "CLI_USAGE"],
  ["device revoke 01020304050607080a --sensor", "CONFIRMATION_NEEDED"],
])("%s asks the backend nothing: %s", async (line, code) => {
  const { exit, stdout } = await run(`${line} --json --non-interactive`);
  expect(exit).not.toBe(0);
  expect(JSON.parse(stdout).error.code).toBe(code);
  expect(operator).not.toHaveBeenCalled();
});

describe("a gateway that the backend does not know", () => {
  const lines = ["gateway revoke gw-99", "gateway token revoke gw-99 0123456789abcdef"];

  it.each([...lines, "gateway token list gw-99"])("%s is told so, and nobody is asked anything", async (line) => {
    operator.mockImplementation(async (_, path) => (path === "/v1/gateways" ? [{ name: "gw-07" }] : []));
    const { exit, stdout } = await run(`${line} --json --non-interactive`);
    expect([exit, JSON.parse(stdout).error.code]).toEqual([6, "GATEWAY_UNKNOWN"]);
    expect(operator.mock.calls.filter(([method]) => method !== "GET")).toEqual([]);
  });

  it.each(lines)("%s asks about one that it knows, and does nothing", async (line) => {
    operator.mockResolvedValue([{ name: "gw-99" }]);
    const { exit, stdout } = await run(`${line} --json --non-interactive`);
    expect([exit, JSON.parse(stdout).error.code]).toEqual([2, "CONFIRMATION_NEEDED"]);
    expect(operator.mock.calls).toEqual([["GET", "/v1/gateways"]]);
  });

  it("has no tokens, which is another answer than none of a gateway that there is", async () => {
    operator.mockImplementation(async (_, path) => (path === "/v1/gateways" ? [{ name: "gw-07" }] : []));
    expect(await run("gateway token list gw-07")).toMatchObject({ exit: 0 });
  });
});

it("hands on what the backend refuses with", async () => {
  const { revocationErrors } = await import("../../services/backend/revocation/errors.ts");
  operator.mockRejectedValue(revocationErrors.error("CERTIFICATE_UNKNOWN", "no certificate 7f is on record"));
  const { exit, stdout } = await run("gateway token issue gw-07 --certificate 7f --json");
  expect([exit, JSON.parse(stdout).error.code]).toEqual([6, "CERTIFICATE_UNKNOWN"]);
});
