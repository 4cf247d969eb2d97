import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeBundleKey } from "../../operations/bundle/trust/signer-keys.ts";
import { people, rootFacts, signedRoot } from "../../operations/bundle/trust/test-trust.ts";
import { rootFile, writeRootFile } from "../../operations/bundle/trust/vendor-roots.ts";
import { runCli } from "../test-io.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-bundle-create-"));
  cpSync(join("examples", "air-gapped", "trustkern.yaml"), join(cwd, "trustkern.yaml"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const run = (...argv: string[]) => runCli(["bundle", "create", ...argv], { cwd, env: { PATH: cwd } });
const codeOf = async (...argv: string[]) => {
  const { exit, stdout } = await run(...argv, "--json");
  return [exit, JSON.parse(stdout).error?.code];
};
const edited = (from: string | RegExp, to: string) => {
  const file = join(cwd, "trustkern.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
};

/** That ada alone signs for a tenant. */
async function vendorRoot(tenant: string): Promise<void> {
  const { ada } = await people("ada");
  const root = await signedRoot(rootFacts({ ada }, { ada }, { tenant }), ada);
  mkdirSync(join(cwd, ".trustkern", "bundle"), { recursive: true });
  writeRootFile(rootFile(join(cwd, ".trustkern", "bundle"), 1), root);
}

describe("bundle create", () => {
  it("lists with --dry-run what would be in it, the image that verifies it too, and makes nothing", async () => {
    const { exit, stdout } = await run("--dry-run", "--json");
    const { images } = JSON.parse(stdout);
    expect(exit).toBe(0);
    const names = images.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["collector", "custody", "probe", "step-ca-pkcs11"]));
    expect(readdirSync(cwd)).toEqual(["trustkern.yaml"]);
  });

  it("refuses a deployment with a component whose image it cannot make: no site could deploy it", async () => {
    edited("  grafana: absent\n", "");
    for (const args of [["--dry-run"], ["-o", "site.tkb"]]) {
      expect(await codeOf(...args)).toEqual([2, "BUNDLE_IMAGE_UNMAKEABLE"]);
    }
    const { stderr } = await run("--dry-run");
    expect(stderr).toMatch(/has grafana, which cannot be made.*images\.grafana: absent/s);
  });

  it("refuses before any work what no site could install", async () => {
    rmSync(join(cwd, "trustkern.yaml"));
    expect(await codeOf("-o", "site.tkb")).toEqual([6, "CLI_NO_DEPLOYMENT"]);
    expect(await codeOf("-o", "site.tkb", "-f", "none.yaml")).toEqual([6, "CLI_FILE"]);
    writeFileSync(join(cwd, "trustkern.yaml"), "name: a\ntenant: b\nprofile: dev\n");
    expect(await codeOf("-o", "site.tkb")).toEqual([2, "DOCKER_ENGINE_ONLY"]);
    writeFileSync(
      join(cwd, "trustkern.yaml"),
      "name: a\ntenant: b\nprofile: dev\nengine: docker\nimages: { source: packages, grafana: absent }\n",
    );
    expect(await codeOf("-o", "site.tkb")).toEqual([2, "BUNDLE_NOT_TAKEN"]);
    expect(await codeOf("--dry-run")).toEqual([2, "BUNDLE_NOT_TAKEN"]);
  });

  it.each([
    ["no place for it", [], [2, "CLI_USAGE"]],
    ["a folder in its place", ["-o", "."], [2, "BUNDLE_OUTPUT_THERE"]],
    ["a file in its place", ["-o", "trustkern.yaml"], [2, "BUNDLE_OUTPUT_THERE"]],
    ["a folder that is not there", ["-o", "none/site.tkb"], [4, "BUNDLE_NOT_WRITABLE"]],
    ["parts of no size", ["-o", "site.tkb", "--split", "4GB"], [2, "BUNDLE_SPLIT_RANGE"]],
    ["nobody who may sign", ["-o", "site.tkb"], [6, "BUNDLE_ROOT_MISSING"]],
  ])("refuses %s, and leaves nothing", async (_, args, expected) => {
    expect(await codeOf(...args)).toEqual(expected);
    expect(readdirSync(cwd)).toEqual(["trustkern.yaml"]);
  });

  it("refuses a key that is no signer before any work", async () => {
    await vendorRoot("acme");
    writeFileSync(join(cwd, "pass"), "a passphrase that is long enough\n");
    const key = join(cwd, "eve.age");
    const eve = await makeBundleKey({ place: key, passphraseFile: join(cwd, "pass") }, join(cwd, ".trustkern"));
    await eve.close();
    const by = ["--key", "eve.age", "--passphrase-file", "pass"];
    expect(await codeOf("--dry-run", ...by)).toEqual([3, "BUNDLE_SIGNER_UNKNOWN"]);
  }, 60_000);

  it.each([["-o", "site.tkb"], ["--dry-run"]])(
    "refuses a root of another tenant before it opens a key, by %s",
    async (...how) => {
      await vendorRoot("somebody-else");
      expect(await codeOf(...how, "--key", "none.age")).toEqual([5, "BUNDLE_OTHER_TENANT"]);
    },
  );

  it.each([
    ["a duration that is none", ["--warn-after", "soon"], [2, "DURATION_INVALID"]],
    ["parts that no bundle has", ["--split", "10KiB"], [2, "BUNDLE_SPLIT_RANGE"]],
    ["a place that is taken", ["-o", "trustkern.yaml"], [2, "BUNDLE_OUTPUT_THERE"]],
    ["a key without a root of trust", ["--key", "none.age", "--passphrase-file", "none"], [6, "BUNDLE_ROOT_MISSING"]],
  ])("refuses %s also with --dry-run", async (_, args, expected) => {
    expect(await codeOf("--dry-run", ...args)).toEqual(expected);
  });

  it("refuses where a part of an earlier bundle is", async () => {
    mkdirSync(join(cwd, "out"));
    writeFileSync(join(cwd, "out", "site.tkb.002"), "");
    expect(await codeOf("-o", "out/site.tkb", "--split", "1GiB")).toEqual([2, "BUNDLE_OUTPUT_THERE"]);
  });
});
