import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { testClusterVerification } from "../../operations/evidence/test-cluster-evidence.ts";
import { SIGNED_AT } from "../../operations/evidence/test-evidence.ts";
import type { BoundaryOptions } from "../../operations/verify/boundary.ts";
import type { Verification } from "../../operations/verify/result.ts";
import { runCli } from "../test-io.ts";
import { clusterFolder, exampleFolder } from "./test-away-site.ts";

/** No cluster answers, and what was found is what a test says. */
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
  cwd = clusterFolder();
  found = testClusterVerification();
  asked = undefined;
});
afterEach(() => rmSync(cwd, { recursive: true }));

const cli = (argv: readonly string[]) =>
  runCli(argv, { cwd, env: { PATH: cwd, KUBECONFIG: join(cwd, ".kube", "config") }, now: () => SIGNED_AT });
const run = (...argv: string[]) => cli(["evidence", ...argv]);
const files = () => readdirSync(cwd).filter((name) => name.startsWith("evidence"));
const predicate = () => {
  const { payload } = JSON.parse(readFileSync(join(cwd, "evidence.json"), "utf8"));
  return JSON.parse(Buffer.from(payload, "base64").toString()).predicate;
};

describe("evidence of a cluster", () => {
  it("writes four files with the exit code of what was found, and is what evidence verify takes", async () => {
    const { exit, stdout } = await run();
    expect([exit, stdout.split("\n")[0]]).toEqual([1, "NOT PROVEN: the boundary of demo, tenant demo"]);
    expect(files()).toEqual(["evidence.html", "evidence.json", "evidence.md", "evidence.pub"]);
    expect(asked?.cluster?.deployment.kubernetes.namespace).toBe("plant");
    expect(asked?.docker).toBeUndefined();
    const fingerprint = /SHA-256: ([0-9a-f]{64})/.exec(stdout)?.[1] ?? "";
    const ask = ["verify", "evidence.json", "--fingerprint", fingerprint, "--deployment", "demo", "--tenant", "demo"];
    const verified = await run(...ask);
    expect([verified.exit, verified.stdout]).toEqual([
      1,
      expect.stringMatching(
        /engine kubernetes, [\s\S]*evidence\.html is as it was signed[\s\S]*is what that key signed\n$/,
      ),
    ]);
    expect(verified.stdout).toContain("on the machine that deploys: whoever controls it can sign anything");
    expect(JSON.parse((await run(...ask, "--json")).stdout)).toMatchObject({ ok: true, engine: "kubernetes" });
  });

  it("has the digest of what export kubernetes prints, and of nothing else", async () => {
    await run();
    const printed = (await cli(["export", "kubernetes"])).stdout;
    expect(printed).toContain("kind: Namespace");
    expect(predicate().facts.stack).toBe(createHash("sha256").update(printed).digest("hex"));
  });

  it("names what a cluster that is away could not say, and signs all the same", async () => {
    await run();
    const { schema, facts } = predicate();
    expect(schema).toBe("trustkern.evidence/2");
    expect(facts.unknown).toEqual([
      { fact: "kubernetes", code: "CLUSTER_UNREACHABLE" },
      { fact: "keys", code: "GRPC_UNREACHABLE" },
      { fact: "fleet", code: "SERVICE_FAILED" },
    ]);
    expect(facts.versions.kubernetes).toBeNull();
    expect(facts.keys).toMatchObject({ sealed: null, verified: false, generations: [] });
    expect(facts.administrators.operatorCertificatesOfBackend).toBeNull();
  });

  it("is written of what is broken, with exit code 5", async () => {
    const findings = [{ code: "X_Y", path: "a", message: "b", fix: "c" }];
    found = testClusterVerification({ "running.refused": { outcome: "broken", findings } });
    expect((await run()).exit).toBe(5);
    expect(readFileSync(join(cwd, "evidence.md"), "utf8")).toMatch(/^# BROKEN/);
  });

  it("is told apart from evidence of docker, whose deployment does not answer for it", async () => {
    await run("-o", "evidence-k.json");
    const elsewhere = exampleFolder();
    const { exit, stdout } = await runCli(
      ["evidence", "verify", join(cwd, "evidence-k.json"), "--key", join(cwd, "evidence-k.pub")],
      { cwd: elsewhere, env: { PATH: elsewhere }, now: () => SIGNED_AT },
    );
    rmSync(elsewhere, { recursive: true });
    expect([exit, stdout]).toEqual([5, expect.stringContaining("EVIDENCE_OTHER_DEPLOYMENT")]);
  });
});

describe("evidence of a cluster refuses, before anything is looked at", () => {
  it("a file that is there already", async () => {
    writeFileSync(join(cwd, "evidence.html"), "kept");
    const { exit, stdout } = await run("--json");
    expect([exit, JSON.parse(stdout).error.code]).toEqual([2, "CLI_FILE_EXISTS"]);
    expect([files(), asked]).toEqual([["evidence.html"], undefined]);
  });

  it("images without a digest", async () => {
    rmSync(join(cwd, "images.lock.yaml"));
    const { exit, stdout } = await run("--json");
    expect([exit, JSON.parse(stdout).error.code]).toEqual([2, "KUBERNETES_IMAGE_UNPINNED"]);
    expect(files()).toEqual([]);
  });

  it("another key than the one that signed before", async () => {
    await run("-o", "evidence-1.json");
    asked = undefined;
    rmSync(join(cwd, ".trustkern", "trust", "evidence.key"));
    const { exit, stdout } = await run("--json");
    expect([exit, JSON.parse(stdout).error.code, asked]).toEqual([5, "EVIDENCE_SIGNER_DIFFERS", undefined]);
  });
});
