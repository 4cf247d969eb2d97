import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type TestStatus, testStatus, testStatusFacts, WRITTEN_AT } from "../../operations/status-file/test-status.ts";
import { runCli } from "../test-io.ts";

let good: TestStatus;
let bad: TestStatus;
let cwd: string;
beforeAll(async () => {
  good = await testStatus();
  bad = await testStatus({ custody: { ...testStatusFacts().custody, sealed: true } }, good.signer);
});
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-status-"));
  leave(good);
});
afterEach(() => rmSync(cwd, { recursive: true }));

function leave({ file, publicKeyPem }: TestStatus): void {
  writeFileSync(join(cwd, "s.json"), file);
  writeFileSync(join(cwd, "s.pub"), publicKeyPem);
}
const at = (days: number) => () => new Date(WRITTEN_AT.getTime() + days * 86_400_000);
const run = (argv: readonly string[], now = at(0)) => runCli(["status", "verify", ...argv], { cwd, now });
const trusted = () => ["--fingerprint", good.status.signer.fingerprint];
const outcome = async (argv: readonly string[], now = at(0)) => {
  const { exit, stdout } = await run([...argv, "--json"], now);
  const said = JSON.parse(stdout);
  return [exit, said.error?.code ?? said.findings.map(({ code }: { code: string }) => code)];
};

describe("status verify", () => {
  it("says versions, conditions, keys, certificates and disks, and that all was well", async () => {
    const { exit, stdout } = await run(["s.json", "--key", "s.pub"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^demo \(tenant demo, profile air-gapped\)\n/);
    expect(stdout).toContain("toolkit 0.1.0, bundle 3, Node v26.10.0");
    expect(stdout).toContain("decryption keys: pkcs11, hardware; 1 active, 1 retired");
    expect(stdout).toContain("certificates: 2 ok; the first to end is of broker, on 2026-04-01");
    expect(stdout).toContain("disks: state 40 % free, engine 11 % free");
    expect(stdout).toMatch(/all was well\n$/);
  });

  it("gives one document on one line", async () => {
    const { exit, stdout } = await run(["s.json", ...trusted(), "--json"]);
    expect([exit, stdout.trimEnd().includes("\n")]).toEqual([0, false]);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ schema: "trustkern.status-verify/1", ok: true, concerns: [], findings: [] },
      fingerprint: good.status.signer.fingerprint,
      status: good.status,
    });
  });

  it("exits with 1 where not all was well, or a certificate has ended since", async () => {
    expect((await run(["s.json", ...trusted()], at(40))).stdout).toContain("has ended since");
    leave(bad);
    const { exit, stdout } = await run(["s.json", ...trusted()]);
    expect([exit, stdout]).toEqual([1, expect.stringContaining("! custody is sealed")]);
  });
});

describe("status verify refuses", () => {
  it("to trust a key that only came with the file", async () => {
    expect(await outcome(["s.json"])).toEqual([2, "STATUS_FILE_KEY_NEEDED"]);
    rmSync(join(cwd, "s.pub"));
    expect(await outcome(["s.json", ...trusted()])).toEqual([2, "STATUS_FILE_KEY_NEEDED"]);
  });

  it("another key, in a file, as a fingerprint, or with all files replaced", async () => {
    const other = await testStatus();
    writeFileSync(join(cwd, "other.pub"), other.publicKeyPem);
    expect(await outcome(["s.json", "--key", "other.pub"])).toEqual([3, "STATUS_FILE_BAD_SIGNATURE"]);
    leave(other);
    expect(await outcome(["s.json", ...trusted()])).toEqual([3, "STATUS_FILE_OTHER_KEY"]);
    expect(await outcome(["s.json", "--fingerprint", "12"])).toEqual([2, "STATUS_FILE_KEY_INVALID"]);
  });

  it("a cut file, one that is not there, another deployment, and what is of tomorrow or too old", async () => {
    writeFileSync(join(cwd, "cut.json"), readFileSync(join(cwd, "s.json")).subarray(0, 300));
    expect(await outcome(["cut.json", "--key", "s.pub"])).toEqual([2, "STATUS_FILE_MALFORMED"]);
    expect(await outcome(["nowhere.json", "--key", "s.pub"])).toEqual([6, "CLI_FILE"]);
    expect(await outcome(["s.json", ...trusted(), "--deployment", "x"])).toEqual([5, ["STATUS_FILE_OTHER_DEPLOYMENT"]]);
    expect(await outcome(["s.json", ...trusted()], at(-1))).toEqual([1, ["STATUS_FILE_IN_FUTURE"]]);
    expect(await outcome(["s.json", ...trusted(), "--max-age", "1d"], at(2))).toEqual([1, ["STATUS_FILE_TOO_OLD"]]);
    expect((await run(["s.json", ...trusted()], at(-1))).stdout).toMatch(/do not rely on this file\n$/);
  });
});
