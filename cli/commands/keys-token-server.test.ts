import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../test-io.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-token-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const TOKEN = "custody: { kind: pkcs11, module: /nowhere/token.so, token: t, pinFile: /nowhere/pin }\n";
const of = (...lines: readonly string[]): void =>
  writeFileSync(join(cwd, "trustkern.yaml"), ["name: demo", "tenant: acme", "profile: dev", ...lines].join("\n"));
const refusal = async () => {
  const { exit, stdout } = await runCli(["keys", "token-server", "--json"], { cwd });
  return [exit, JSON.parse(stdout).error.code];
};

describe("keys token-server", () => {
  it("is for keys on a token", async () => {
    of("engine: docker", "custody: { kind: file }");
    expect(await refusal()).toEqual([2, "CLI_USAGE"]);
  });

  it("is for the engine whose custody is in a container", async () => {
    of("engine: embedded");
    expect(await refusal()).toEqual([2, "DOCKER_ENGINE_ONLY"]);
  });

  it("listens on nothing before the token is open", async () => {
    of("engine: docker", `docker: { custodySocket: ${cwd}/own/sock }`, TOKEN);
    const [exit, code] = await refusal();
    expect([exit, code]).toEqual([expect.any(Number), expect.stringMatching(/^SIGNER_/)]);
    expect(exit).not.toBe(0);
  });

  it("puts its socket into no folder that others can write", async () => {
    mkdirSync(join(cwd, "own"));
    chmodSync(join(cwd, "own"), 0o777);
    of("engine: docker", `docker: { custodySocket: ${cwd}/own/sock }`, TOKEN);
    expect(await refusal()).toEqual([5, "TOKEN_FOLDER_OPEN"]);
  });

  it("prints a unit without opening the token, and without what its PIN is", async () => {
    of("engine: docker", TOKEN);
    const { exit, stdout } = await runCli(["keys", "token-server", "--systemd"], { cwd });
    expect(exit).toBe(0);
    expect(stdout).toContain("RuntimeDirectory=trustkern-demo-custody\n");
    expect(stdout).toContain(`keys token-server -f ${cwd}/trustkern.yaml\n`);
    expect(stdout).not.toContain("/nowhere/pin");
  });
});
