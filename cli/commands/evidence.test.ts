import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SIGNED_AT, testVerification } from "../../operations/evidence/test-evidence.ts";
import type { BoundaryOptions } from "../../operations/verify/boundary.ts";
import type { Verification } from "../../operations/verify/result.ts";
import { runCli } from "../test-io.ts";
import { exampleFolder } from "./test-away-site.ts";

/** Nothing runs: what is asked of the deployment is away, and what was found is what a test says. */
let found: Verification;
let asked: BoundaryOptions | undefined;
vi.mock("./certs-context.ts", async () => {
  const { awaySite } = await import("./test-away-site.ts");
  return awaySite(() => ({ cwd, at: SIGNED_AT }));
});
vi.mock("../../operations/verify/boundary.ts", () => ({
  verifyBoundary: async (options: BoundaryOptions) => {
    asked = options;
    return found;
  },
}));

let cwd: string;
beforeEach(() => {
  cwd = exampleFolder();
  found = testVerification();
  asked = undefined;
});
afterEach(() => rmSync(cwd, { recursive: true }));

const run = (...argv: string[]) => runCli(["evidence", ...argv], { cwd, env: { PATH: cwd }, now: () => SIGNED_AT });
const files = () => readdirSync(cwd).filter((name) => name.startsWith("evidence"));
const predicate = () => {
  const { payload } = JSON.parse(readFileSync(join(cwd, "evidence.json"), "utf8"));
  return JSON.parse(Buffer.from(payload, "base64").toString()).predicate;
};

describe("evidence", () => {
  it("writes four files, prints the fingerprint, and is what evidence verify takes", async () => {
    found = { ...found, deployment: "single-host" };
    const { exit, stdout } = await run();
    expect(exit).toBe(0);
    expect(files()).toEqual(["evidence.html", "evidence.json", "evidence.md", "evidence.pub"]);
    const fingerprint = /SHA-256: ([0-9a-f]{64})/.exec(stdout)?.[1] ?? "";
    const verified = await run("verify", "evidence.json", "--fingerprint", fingerprint);
    expect([verified.exit, verified.stdout]).toEqual([0, expect.stringContaining("evidence.html is as it was signed")]);
    expect((await run("verify", "evidence.json")).exit).toBe(0);
  });

  it("is refused in the folder of another deployment, and where another one is asked for", async () => {
    found = { ...found, deployment: "other" };
    await run();
    const refused = await run("verify", "evidence.json");
    expect([refused.exit, refused.stdout]).toEqual([5, expect.stringContaining("EVIDENCE_OTHER_DEPLOYMENT")]);
    expect((await run("verify", "evidence.json", "--deployment", "other")).exit).toBe(0);
    expect((await run("verify", "evidence.json", "--deployment", "other", "--tenant", "acme")).exit).toBe(5);
  });

  it("gives one document on one line", async () => {
    const { stdout } = await run("--json", "-o", "evidence-1");
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "trustkern.evidence-written/1",
      verdict: "proven",
      files: { evidence: "evidence-1", page: "evidence-1.html", summary: "evidence-1.md", key: "evidence-1.pub" },
    });
  });

  it("names what could not be asked of a deployment that is down, and signs all the same", async () => {
    await run();
    const { facts } = predicate();
    expect(facts.unknown.map(({ fact }: { fact: string }) => fact)).toEqual(
      expect.arrayContaining(["docker", "keys", "fleet"]),
    );
    expect(facts.versions.dockerEngine).toBeNull();
    expect(facts.keys).toMatchObject({ sealed: null, verified: false, generations: [] });
  });

  it("is written of what is broken and of what is not proven, with their exit codes", async () => {
    const findings = [{ code: "X_Y", path: "a", message: "b", fix: "c" }];
    found = testVerification({ "running.refused": { outcome: "broken", findings } });
    const broken = await run("-o", "evidence-b.json");
    expect([broken.exit, broken.stdout.split("\n")[0]]).toEqual([5, "BROKEN: the boundary of demo, tenant demo"]);
    found = testVerification({ "running.flows": { outcome: "not-proven" } });
    expect((await run("-o", "evidence-n.json")).exit).toBe(1);
    expect(readFileSync(join(cwd, "evidence-n.md"), "utf8")).toMatch(/^# NOT PROVEN/);
  });

  it("passes the layers on, and fewer than all prove nothing", async () => {
    found = { ...found, layers: ["model"], results: found.results.filter(({ id }) => id.startsWith("model.")) };
    expect((await run("--layers", "model")).exit).toBe(1);
    expect(asked?.layers).toEqual(["model"]);
  });

  it("keeps its key for its owner alone, and shows no private key", async () => {
    await run();
    const key = join(cwd, ".trustkern", "trust", "evidence.key");
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const secret = readFileSync(key, "utf8").split("\n")[1] ?? "?";
    for (const name of files()) expect(readFileSync(join(cwd, name), "utf8").includes(secret)).toBe(false);
  });
});

describe("evidence refuses, before anything is looked at", () => {
  it("a file that is there already, and leaves no half of the others", async () => {
    writeFileSync(join(cwd, "evidence.md"), "kept");
    const { exit, stdout } = await run("--json");
    expect([exit, JSON.parse(stdout).error.code]).toEqual([2, "CLI_FILE_EXISTS"]);
    expect(files()).toEqual(["evidence.md"]);
    expect(asked).toBeUndefined();
  });

  it("a folder that is not there", async () => {
    expect((await run("-o", "nowhere/evidence.json")).exit).toBe(4);
  });

  it.each([
    [["--layers", "runing"], "CLI_USAGE"],
    [["--evidence-key", "key.age"], "CLI_USAGE"],
    [["--passphrase-file", "passphrase"], "CLI_USAGE"],
    [["more"], "CLI_USAGE"],
    [["--evidence-key", "root-device"], "ROOT_KEY_ELSEWHERE", 4],
  ])("%j", async (argv, code, exitCode = 2) => {
    const { exit, stdout } = await run(...argv, "--json");
    expect([exit, JSON.parse(stdout).error.code]).toEqual([exitCode, code]);
    expect(asked).toBeUndefined();
    expect(files()).toEqual([]);
  });

  it("another key than the one that signed before", async () => {
    await run("-o", "evidence-1.json");
    rmSync(join(cwd, ".trustkern", "trust", "evidence.key"));
    const { exit, stdout } = await run("--json");
    expect([exit, JSON.parse(stdout).error.code]).toEqual([5, "EVIDENCE_SIGNER_DIFFERS"]);
    expect(existsSync(join(cwd, "evidence.json"))).toBe(false);
  });

  it("the embedded engine, whose components nothing keeps apart", async () => {
    rmSync(join(cwd, "trustkern.yaml"));
    const { exit, stdout } = await run("--json");
    expect([exit, JSON.parse(stdout).error.code]).toEqual([1, "ENGINE_NOT_ISOLATED"]);
  });
});
