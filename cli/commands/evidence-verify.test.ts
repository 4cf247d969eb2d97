import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMemorySigner } from "../../certs/signers/index.ts";
import {
  SIGNED_AT,
  type TestEvidence,
  testEvidence,
  testVerification,
} from "../../operations/evidence/test-evidence.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { pinEvidenceKey } from "../../stacks/host/trust/evidence-key.ts";
import { runCli } from "../test-io.ts";

const BROKEN = { outcome: "broken", findings: [{ code: "X_Y", path: "a", message: "b", fix: "c" }] } as const;

let good: TestEvidence;
let broken: TestEvidence;
let open: TestEvidence;
let cwd: string;
beforeAll(async () => {
  good = await testEvidence();
  const { signer } = good;
  broken = await testEvidence({ signer, verification: testVerification({ "running.refused": BROKEN }) });
  open = await testEvidence({ signer, verification: testVerification({ "running.flows": { outcome: "not-proven" } }) });
});
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-evidence-"));
  leave(good);
});
afterEach(() => rmSync(cwd, { recursive: true }));

function leave({ evidence }: TestEvidence): void {
  writeFileSync(join(cwd, "evidence.json"), evidence.envelope);
  writeFileSync(join(cwd, "evidence.html"), evidence.page);
  writeFileSync(join(cwd, "evidence.md"), evidence.summary);
  writeFileSync(join(cwd, "evidence.pub"), evidence.publicKeyPem);
}
const at = (days: number) => () => new Date(SIGNED_AT.getTime() + days * 86_400_000);
const run = (argv: readonly string[], now = at(0), stdin?: Uint8Array) =>
  runCli(["evidence", "verify", ...argv], { cwd, now, ...(stdin ? { stdin } : {}) });
const trusted = () => ["--fingerprint", good.evidence.fingerprint];
const codeOf = (stdout: string): string => JSON.parse(stdout).error.code;

describe("evidence verify", () => {
  it("says what was proven, by whose key, and that the pages are those that were signed", async () => {
    const { exit, stdout } = await run(["evidence.json", "--key", "evidence.pub"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^Proven: the boundary of demo, tenant demo\n/);
    expect(stdout).toContain(good.evidence.fingerprint);
    expect(stdout).toContain("evidence.html is as it was signed");
    expect(stdout).toMatch(/the evidence is what that key signed\n$/);
  });

  it("gives one document on one line", async () => {
    const { exit, stdout, stderr } = await run(["evidence.json", ...trusted(), "--json"]);
    expect([exit, stderr, stdout.trimEnd().includes("\n")]).toEqual([0, "", false]);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "trustkern.evidence-verify/1",
      ...{ ok: true, verdict: "proven", deployment: "demo", open: [], findings: [] },
    });
  });

  it("takes the key that the deployment has pinned, and needs no deployment for a named one", async () => {
    const { dir } = layoutOf(join(cwd, ".trustkern"), tmpdir());
    mkdirSync(join(dir, "trust"), { recursive: true });
    expect((await run(["evidence.json"])).exit).toBe(2);
    pinEvidenceKey({ dir }, good.signer);
    expect((await run(["evidence.json"])).exit).toBe(0);
  });

  it("takes the fingerprint with colons and in capitals, and the file from standard input", async () => {
    const hex = good.evidence.fingerprint.toUpperCase().replace(/(..)(?!$)/g, "$1:");
    expect((await run(["evidence.json", "--fingerprint", hex])).exit).toBe(0);
    const { exit, stdout } = await run(["-", "--key", "evidence.pub"], at(0), good.file);
    expect(exit).toBe(0);
    expect(stdout).toContain("was not looked at");
  });

  it("exits with 5 for evidence of what is broken, and with 1 for what is not proven", async () => {
    leave(broken);
    const said = await run(["evidence.json", ...trusted()]);
    expect([said.exit, said.stdout.split("\n")[0]]).toEqual([5, "BROKEN: the boundary of demo, tenant demo"]);
    const { statement } = broken;
    const wrong = statement.predicate.verification.results.find(({ outcome }) => outcome === "broken");
    expect(wrong?.findings[0]?.message).toMatch(/./);
    expect(said.stdout).toContain(`${wrong?.id}: ${wrong?.findings[0]?.path}: ${wrong?.findings[0]?.message}`);
    leave(open);
    expect((await run(["evidence.json", ...trusted()])).exit).toBe(1);
  });
});

describe("evidence verify refuses", () => {
  it("to trust a key that only the file names", async () => {
    const { exit, stdout } = await run(["evidence.json", "--json"]);
    expect([exit, codeOf(stdout)]).toEqual([2, "EVIDENCE_KEY_NEEDED"]);
  });

  it("a fingerprint without the key that it is of, and says which file that is", async () => {
    rmSync(join(cwd, "evidence.pub"));
    const beside = await run(["evidence.json", ...trusted(), "--json"]);
    expect([beside.exit, codeOf(beside.stdout)]).toEqual([2, "EVIDENCE_KEY_NEEDED"]);
    expect(JSON.parse(beside.stdout).error.message).toContain('there is no "evidence.pub"');
    const piped = await run(["-", ...trusted(), "--json"], at(0), Buffer.from(good.evidence.envelope));
    expect(JSON.parse(piped.stdout).error).toMatchObject({ code: "EVIDENCE_KEY_NEEDED", path: "--fingerprint" });
  });

  it("another key, in a file or as a fingerprint", async () => {
    const { signer } = await createMemorySigner("P-256", "other");
    const other = await testEvidence({ signer });
    writeFileSync(join(cwd, "other.pub"), other.evidence.publicKeyPem);
    const said = await run(["evidence.json", "--key", "other.pub", "--json"]);
    expect([said.exit, codeOf(said.stdout)]).toEqual([3, "EVIDENCE_BAD_SIGNATURE"]);
    const named = await run(["evidence.json", "--fingerprint", other.evidence.fingerprint, "--json"]);
    expect([named.exit, codeOf(named.stdout)]).toEqual([3, "EVIDENCE_OTHER_KEY"]);
  });

  it("all four files replaced by somebody else's, where the fingerprint is known", async () => {
    const { signer } = await createMemorySigner("P-256", "other");
    leave(await testEvidence({ signer }));
    expect((await run(["evidence.json", ...trusted()])).exit).toBe(3);
  });

  it.each(["", "12", "zz".repeat(32), "-----BEGIN PUBLIC KEY-----"])("the fingerprint %o", async (hex) => {
    const { exit, stdout } = await run(["evidence.json", "--fingerprint", hex, "--json"]);
    expect([exit, codeOf(stdout)]).toEqual([2, "EVIDENCE_KEY_INVALID"]);
  });

  it.each([
    ["a private key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
    ["an empty file", ""],
    ["a torn key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
  ])("%s for a key", async (_, pem) => {
    writeFileSync(join(cwd, "key"), pem);
    const { exit, stdout } = await run(["evidence.json", "--key", "key", "--json"]);
    expect([exit, codeOf(stdout)]).toEqual([2, "EVIDENCE_KEY_INVALID"]);
  });

  it("an edited file, a cut one, and one that is not there", async () => {
    const text = readFileSync(join(cwd, "evidence.json"), "utf8");
    writeFileSync(join(cwd, "edited.json"), text.replace("payloadType", "payloadtype"));
    writeFileSync(join(cwd, "cut.json"), text.slice(0, 500));
    const code = async (file: string) => {
      const { exit, stdout } = await run([file, "--key", "evidence.pub", "--json"]);
      return [exit, codeOf(stdout)];
    };
    expect(await code("edited.json")).toEqual([2, "EVIDENCE_MALFORMED"]);
    expect(await code("cut.json")).toEqual([2, "EVIDENCE_MALFORMED"]);
    expect(await code("nowhere.json")).toEqual([6, "CLI_FILE"]);
  });

  it("an edited page with 5, and what is too old or of tomorrow with 1", async () => {
    writeFileSync(join(cwd, "evidence.html"), good.evidence.page.replace("Proven", "proven"));
    const { exit, stdout } = await run(["evidence.json", ...trusted()]);
    expect(exit).toBe(5);
    expect(stdout).toMatch(/EVIDENCE_PAGE_CHANGED.*\ndo not rely on this evidence\n$/s);
    leave(good);
    expect((await run(["evidence.json", ...trusted(), "--max-age", "30d"], at(31))).exit).toBe(1);
    expect((await run(["evidence.json", ...trusted(), "--max-age", "30d"], at(29))).exit).toBe(0);
    expect((await run(["evidence.json", ...trusted()], at(-1))).exit).toBe(1);
    expect((await run(["evidence.json", ...trusted(), "--max-age", "soon"])).exit).toBe(2);
  });

  it("options of `evidence`, and a file that is missing, with the help that is for it", async () => {
    for (const argv of [["evidence.json", "--layers", "model"], ["evidence.json", "-o", "x"], []]) {
      const { exit, stdout } = await run([...argv, ...trusted(), "--json"]);
      expect([exit, codeOf(stdout)]).toEqual([2, "CLI_USAGE"]);
      expect(JSON.parse(stdout).error.fix).toContain("trustkern evidence verify --help");
    }
    const { stdout } = await run(["--help"]);
    expect(stdout).toContain("--max-age");
    expect(stdout).not.toContain("--layers");
  });
});
