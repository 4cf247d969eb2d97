import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { activeOf } from "../../custody/keyring/test-support.ts";
import { signerKey } from "../../custody/replicas/statement.ts";
import {
  type TestCustodies,
  type TestFollower,
  type TestWriter,
  testCustodies,
} from "../../custody/replicas/test-pair.ts";
import { runCli } from "../test-io.ts";

let custodies: TestCustodies;
let writer: TestWriter;
let follower: TestFollower;
let cwd: string;
beforeEach(async () => {
  custodies = testCustodies();
  writer = await custodies.writer();
  follower = await custodies.follower();
  await follower.followFrom(writer);
  cwd = mkdtempSync(join(tmpdir(), "tk-replicas-"));
  put();
});
afterEach(async () => {
  await writer.close();
  await follower.close();
  custodies.remove();
  rmSync(cwd, { recursive: true });
});

/** Copies both logs for the auditor. */
function put(): void {
  for (const [name, { store }] of [["custody-0", writer] as const, ["custody-1", follower] as const]) {
    const folder = join(cwd, "logs", name);
    rmSync(folder, { recursive: true, force: true });
    cpSync(join(custodies.at(name), "audit"), join(folder, "audit"), { recursive: true });
    const pem = signerKey(store.signer.publicKeySpki)?.export({ format: "pem", type: "spki" }) ?? "";
    writeFileSync(join(folder, "signer.pem"), pem);
  }
}
async function verify(...argv: readonly string[]) {
  const all = ["keys", "audit", "verify", "--replicas", "logs", "--json", ...argv];
  const { exit, stdout, stderr } = await runCli(all, { cwd });
  return { exit, stderr, ...JSON.parse(stdout || "{}") };
}
const codes = ({ findings }: { findings: readonly { code: string }[] }) => [
  ...new Set(findings.map(({ code }) => code)),
];

describe("keys audit verify --replicas", () => {
  it("finds logs that fit each other, and names the writer", async () => {
    expect(await verify()).toMatchObject({ exit: 0, ok: true, writer: "custody-0", findings: [] });
    const { stdout } = await runCli(["keys", "audit", "verify", "--replicas", "logs"], { cwd });
    expect(stdout).toContain("custody-0 (writer): ");
    expect(stdout).toContain("the audit logs of 2 custodies are whole and fit each other");
  });

  it("finds an opening after the key was taken away", async () => {
    const { keyId } = activeOf(writer.keyring);
    await writer.keyring.compromise("op", keyId, { reason: "lost", stored: "block" });
    await follower.followFrom(writer);
    const keys = [{ keyId, opened: 1, failed: 0 }];
    const detail = { client: "svc-collector", use: "live", keys, unknown: 0, items: 1, root: "0".repeat(64) } as const;
    await follower.audit.append({ kind: "decapsulated", actor: "svc-collector", detail });
    put();
    const verdict = await verify();
    expect([verdict.exit, codes(verdict)]).toEqual([5, ["AUDIT_FOLLOWED_OPENED"]]);
  });

  it("holds heads that were kept against the log that each is of", async () => {
    expect((await verify("--keep", "kept")).exit).toBe(0);
    expect(await verify("--kept-head", "kept")).toMatchObject({ exit: 0, keptHeads: 2 });
    rmSync(join(cwd, "logs", "custody-1", "audit"), { recursive: true });
    const verdict = await verify("--kept-head", "kept");
    expect([verdict.exit, codes(verdict)]).toEqual([5, ["AUDIT_HEAD", "AUDIT_CUT"]]);
  });

  it("finds that the writer's log was left out", async () => {
    rmSync(join(cwd, "logs", "custody-0"), { recursive: true });
    const verdict = await verify();
    expect([verdict.exit, codes(verdict)]).toEqual([5, ["AUDIT_ROLE"]]);
  });

  it("refuses a folder without custodies, and a custody without its key", async () => {
    const { exit, stderr } = await runCli(["keys", "audit", "verify", "--replicas", "nowhere"], { cwd });
    expect([exit, stderr]).toEqual([6, expect.stringContaining("CLI_FILE")]);
    rmSync(join(cwd, "logs", "custody-1", "signer.pem"));
    const { exit: other, stderr: said } = await runCli(["keys", "audit", "verify", "--replicas", "logs"], { cwd });
    expect([other > 0, said]).toEqual([true, expect.stringContaining("KEYS_SIGNER_UNKNOWN")]);
  });
});
