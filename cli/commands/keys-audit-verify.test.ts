import { generateKeyPairSync, randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type TestLog, testLog } from "../../custody/audit/test-log.ts";
import { sealGenerationPackage } from "../../custody/package.ts";
import { hexOf } from "../../protocol/hex.ts";
import { pinSigner } from "../../stacks/host/generations/signer-pin.ts";
import { runCli } from "../test-io.ts";

let log: TestLog;
let cwd: string;
beforeEach(async () => {
  log = await testLog();
  cwd = mkdtempSync(join(tmpdir(), "tk-keys-audit-"));
  await log.fill(5);
  put(log);
  pinSigner(state(), log.signer.publicKeySpki);
});
afterEach(() => {
  log.remove();
  rmSync(cwd, { recursive: true });
});

/** Of a log that was taken away. */
const codes = ["AUDIT_HEAD", "AUDIT_CUT"];

const state = (): string => join(cwd, ".trustkern");
const folder = (): string => join(state(), "volumes", "custody", "audit");

/** Has the deployment that log. */
function put(from: TestLog): void {
  rmSync(folder(), { recursive: true, force: true });
  mkdirSync(folder(), { recursive: true });
  cpSync(from.folder, folder(), { recursive: true });
}

async function verify(...argv: readonly string[]) {
  const { exit, stdout } = await runCli(["keys", "audit", "verify", "--json", ...argv], { cwd });
  return { exit, ...JSON.parse(stdout) };
}

describe("keys audit verify", () => {
  it("needs nothing that runs, and finds a whole log whole", async () => {
    expect(await verify()).toMatchObject({ exit: 0, ok: true, findings: [], keptHeads: 0 });
    const { stdout } = await runCli(["keys", "audit", "verify"], { cwd });
    expect(stdout).toContain("custody's audit log is whole");
    expect(stdout).toContain("held against no kept head, so that its last commit may be missing");
  });

  it("finds a record that was changed, and keeps no head of such a log", async () => {
    const file = join(folder(), log.segments()[0] ?? "");
    writeFileSync(file, readFileSync(file, "utf8").replace('"opened":1', '"opened":2'));
    const { exit, ok, findings } = await verify("--keep", "kept");
    expect([exit, ok, findings.length > 0]).toEqual([5, false, true]);
    expect(() => readFileSync(join(cwd, "kept"))).toThrow();
  });

  it("finds by a head that was kept elsewhere that an older copy was put back", async () => {
    const older = mkdtempSync(join(tmpdir(), "tk-older-"));
    cpSync(folder(), older, { recursive: true });
    await log.fill(3);
    put(log);
    expect(await verify("--keep", "kept")).toMatchObject({ exit: 0 });
    rmSync(folder(), { recursive: true });
    cpSync(older, folder(), { recursive: true });
    rmSync(older, { recursive: true });
    expect(await verify()).toMatchObject({ exit: 0 });
    expect(await verify("--kept-head", "kept")).toMatchObject({ exit: 5, ok: false });
  });

  it("finds that the whole log is another store's", async () => {
    const other = await testLog();
    await other.fill(5);
    put(other);
    other.remove();
    expect(await verify()).toMatchObject({ exit: 5, ok: false });
  });

  it("finds that the whole log was taken away, and how much by a head that was kept", async () => {
    expect((await verify("--keep", "kept")).exit).toBe(0);
    rmSync(folder(), { recursive: true });
    const alone = await verify();
    expect([alone.exit, alone.findings.map(({ code }: { code: string }) => code)]).toEqual([5, codes]);
    const { exit, findings } = await verify("--kept-head", "kept");
    expect(exit).toBe(5);
    expect(findings).toContainEqual(expect.objectContaining({ code: "AUDIT_CUT", path: "kept:1" }));
  });

  it("takes a kept head with a changed line beside it for what it is: a finding", async () => {
    await verify("--keep", "kept");
    writeFileSync(join(cwd, "kept"), `changed\n${readFileSync(join(cwd, "kept"), "utf8")}`);
    const { exit, findings } = await verify("--kept-head", "kept");
    expect([exit, findings.map(({ path }: { path: string }) => path)]).toEqual([5, ["kept:1"]]);
  });

  it("says in text each fix once, and which records are there although no head counts them", async () => {
    rmSync(join(folder(), "audit.head"));
    const { exit, stdout } = await runCli(["keys", "audit", "verify"], { cwd });
    expect([exit, stdout.match(/ {2}fix: /g)?.length]).toEqual([5, 2]);
    expect(stdout).toMatch(/the last record is number [1-9]\d*, and its head counts 0;/);
  });

  it("says of a place for the head that is taken to name another one with --keep", async () => {
    writeFileSync(join(cwd, "kept"), "");
    expect(await verify("--keep", "kept")).toMatchObject({
      error: { path: "--keep", fix: expect.stringContaining("--keep") },
    });
  });

  it.each(["AUDIT_HEAD", "AUDIT_CUT", "AUDIT_CHAIN", "AUDIT_BEYOND"])("%s is one that explain knows", async (code) => {
    const { exit, stdout } = await runCli(["explain", code]);
    expect([exit, stdout]).toEqual([0, expect.stringContaining("exit code: 5")]);
  });

  it.each<[string, () => void, readonly string[], number, string]>([
    ["no pinned key", () => rmSync(join(state(), "custody"), { recursive: true }), [], 6, "KEYS_SIGNER_UNKNOWN"],
    ["no deployment", () => rmSync(state(), { recursive: true }), [], 6, "NOT_DEPLOYED"],
    ["a kept head that is not there", () => undefined, ["--kept-head", "nowhere"], 6, "CLI_FILE"],
    ["a file without a head", () => writeFileSync(join(cwd, "empty"), "\n"), ["--kept-head", "empty"], 2, "CLI_USAGE"],
    [
      "a file that is none",
      () => writeFileSync(join(cwd, "md"), "# a\nb.c.d\n"),
      ["--kept-head", "md"],
      2,
      "CLI_USAGE",
    ],
    ["a place that is taken", () => writeFileSync(join(cwd, "kept"), ""), ["--keep", "kept"], 2, "CLI_FILE_EXISTS"],
  ])("says so of %s", async (_, spoil, argv, exit, code) => {
    spoil();
    expect(await verify(...argv)).toMatchObject({ exit, error: { code } });
  });
});

it.each([
  ["list", []],
  ["rotate", ["--due"]],
  ["destroy", ["00".repeat(8), "--yes"]],
  ["import", ["package"]],
  ["compromise", ["00".repeat(8), "--reason", "lost", "--yes"]],
])("keys %s says that nothing was deployed", async (command, argv) => {
  const metadata = { tenant: "acme", createdAt: "2026-11-21T08:00:00.000Z" };
  const importKey = hexOf(generateKeyPairSync("x25519").publicKey.export({ format: "raw-public" }));
  writeFileSync(join(cwd, "package"), sealGenerationPackage({ importKey, privateKey: randomBytes(32), metadata }));
  const { exit, stdout } = await runCli(["keys", command, ...argv, "--json"], { cwd });
  expect([exit, JSON.parse(stdout).error.code]).toEqual([6, "NOT_DEPLOYED"]);
});

it.each([
  ["compromise without a reason", ["compromise", "00"], "CLI_USAGE"],
  ["compromise with another rule", ["compromise", "00", "--reason", "x", "--stored", "keep"], "CLI_USAGE"],
  ["import of a file that is not there", ["import", "nowhere"], "CLI_FILE"],
])("keys %s is refused before anything is asked", async (_, argv, code) => {
  const { stdout } = await runCli(["keys", ...argv, "--json"], { cwd });
  expect(JSON.parse(stdout).error.code).toBe(code);
});
