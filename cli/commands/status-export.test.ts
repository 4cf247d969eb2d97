import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WRITTEN_AT } from "../../operations/status-file/test-status.ts";
import { writeState } from "../../stacks/host/state.ts";
import { runCli } from "../test-io.ts";
import { exampleFolder } from "./test-away-site.ts";
// So that loading it is not part of the first test.
import "./status-export.ts";

/** Certificates are those of a host without any, and custody is away; no Docker Engine answers. */
vi.mock("./certs-context.ts", async () => {
  const { awaySite } = await import("./test-away-site.ts");
  return awaySite(() => ({ cwd, at: WRITTEN_AT }));
});

let cwd: string;
beforeEach(() => {
  cwd = exampleFolder();
});
afterEach(() => rmSync(cwd, { recursive: true }));

function deployed(): void {
  writeState(join(cwd, ".trustkern", "deployment.json"), {
    ...{
      schema: "trustkern.docker-state/1",
      tenant: "demo",
      createdAt: "2026-01-01T00:00:00Z",
      ports: {},
      volumes: [],
    },
  });
}
const run = (...argv: string[]) => runCli(["status", ...argv], { cwd, env: { PATH: cwd }, now: () => WRITTEN_AT });
const codeOf = (stdout: string): string => JSON.parse(stdout).error.code;
const trust = (name: string) => join(cwd, ".trustkern", "trust", name);

describe("status --export", () => {
  beforeEach(deployed);

  it("writes a file and its key of a deployment that is half down, and says so; status verify takes it by the fingerprint", async () => {
    const { exit, stdout } = await run("--export", "status.json");
    expect([exit, stdout]).toEqual([1, expect.stringContaining("docker did not answer: DOCKER_MISSING")]);
    const fingerprint = /SHA-256: ([0-9a-f]{64})/.exec(stdout)?.[1] ?? "";
    const read = await run("verify", "status.json", "--fingerprint", fingerprint);
    expect([read.exit, read.stdout]).toEqual([1, expect.stringMatching(/and not all is well\n$/)]);
    expect(read.stdout).toContain("! custody does not answer");
    expect((await run("verify", "status.json", "--key", "status.pub", "--tenant", "other")).exit).toBe(5);
  });

  it("keeps its key for its owner alone, apart from that of evidence, signs with it again, and with no other", async () => {
    const fingerprints = [];
    for (const name of ["one.json", "two.json"]) {
      fingerprints.push(JSON.parse((await run("--export", name, "--json")).stdout).fingerprint);
    }
    expect(new Set(fingerprints).size).toBe(1);
    expect(statSync(trust("status.key")).mode & 0o777).toBe(0o600);
    expect(existsSync(trust("evidence.key"))).toBe(false);
    const secret = readFileSync(trust("status.key"), "utf8").split("\n")[1] ?? "?";
    for (const name of readdirSync(cwd).filter((each) => each.startsWith("one"))) {
      expect(readFileSync(join(cwd, name), "utf8")).not.toContain(secret);
    }
    rmSync(trust("status.key"));
    const { exit, stdout } = await run("--export", "three.json", "--json");
    expect([exit, codeOf(stdout)]).toEqual([5, "STATUS_SIGNER_DIFFERS"]);
    expect(readdirSync(cwd).filter((name) => name.startsWith("three"))).toEqual([]);
  });

  it("refuses a file that is there already, and to watch as well", async () => {
    writeFileSync(join(cwd, "status.pub"), "kept");
    expect(codeOf((await run("--export", "status.json", "--json")).stdout)).toBe("CLI_FILE_EXISTS");
    expect(existsSync(join(cwd, "status.json"))).toBe(false);
    expect(existsSync(trust("status.key"))).toBe(false);
    const both = await run("--export", "s.json", "--watch", "--json");
    expect([both.exit, codeOf(both.stdout)]).toEqual([2, "CLI_USAGE"]);
  });
});

it("status --export refuses where nothing was ever deployed, and makes no key", async () => {
  const { exit, stdout } = await run("--export", "status.json", "--json");
  expect([exit, codeOf(stdout)]).toEqual([6, "NOT_DEPLOYED"]);
  expect(readdirSync(cwd).filter((name) => name.startsWith("status"))).toEqual([]);
  expect(existsSync(join(cwd, ".trustkern"))).toBe(false);
});
