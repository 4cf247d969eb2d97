import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { removeFolders, testContents, writtenBundle } from "../../operations/bundle/format/test-bundle.ts";
import { replaceSlot } from "../../operations/bundle/format/write.ts";
import { signBundle } from "../../operations/bundle/trust/sign-bundle.ts";
import { installRoot } from "../../operations/bundle/trust/site.ts";
import { people, rootFacts, scratch, signedRoot } from "../../operations/bundle/trust/test-trust.ts";
import { bundleFolder, rootFile, writeRootFile } from "../../operations/bundle/trust/vendor-roots.ts";
import { runCli } from "../test-io.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const place = scratch();
afterAll(() => {
  place[Symbol.dispose]();
  removeFolders();
});
const { anna, root } = await people("anna", "root");
const first = await signedRoot(rootFacts({ anna }, { root }, { tenant: "demo" }), root);
const rootJson = rootFile(bundleFolder(place.in("vendor")), 1);
const NAMED = ["--root", rootJson, "--fingerprint", first.fingerprint];

async function signed(mark: string): Promise<string> {
  const files = await writtenBundle(testContents(mark));
  const bundle = await openBundle(files[0] ?? "");
  const job = { ...bundle, roots: [first], folder: bundleFolder(place.in("vendor")), now: NOW };
  const { slot } = await signBundle(job, [anna]);
  await bundle.close();
  await replaceSlot(files, slot);
  return files[0] ?? "";
}
const verify = async (file: string, ...options: readonly string[]) => {
  const now = () => NOW;
  const { exit, stdout } = await runCli(["bundle", "verify", file, ...options, "--json"], { cwd: place.folder, now });
  const said = JSON.parse(stdout);
  return { exit, ...said, ...said.error };
};

let file: string;
beforeAll(async () => {
  writeRootFile(rootJson, first);
  file = await signed("one");
});

describe("bundle verify", () => {
  it("takes a bundle by a root that is named with its fingerprint, and changes nothing", async () => {
    const before = readFileSync(file);
    expect(await verify(file, ...NAMED)).toMatchObject({ exit: 0, ok: true, version: 1, signers: [{ name: "anna" }] });
    expect(readFileSync(file)).toEqual(before);
  });

  it("takes it by the trust of a site", async () => {
    installRoot(place.in("site"), first, { dryRun: false });
    const seen = readFileSync(join(place.in("site"), "trust", "seen.json"));
    expect(await verify(file, "--site", "site")).toMatchObject({ exit: 0, version: 1 });
    expect(readFileSync(join(place.in("site"), "trust", "seen.json"))).toEqual(seen);
  });

  it("says so and goes on past its date", async () => {
    const late = new Date("2030-01-01T00:00:00Z");
    const { exit, stderr } = await runCli(["bundle", "verify", file, ...NAMED], { now: () => late });
    expect(exit).toBe(0);
    expect(stderr).toContain("there should be a newer one");
  });

  it.each([
    ["a fingerprint without a root", ["--fingerprint", first.fingerprint], "CLI_USAGE"],
    ["a root without a fingerprint", ["--root", rootJson], "CLI_USAGE"],
    ["both a root and a site", [...NAMED, "--site", "site"], "CLI_USAGE"],
    ["a site that trusts nobody", ["--site", "nowhere"], "BUNDLE_ROOT_MISSING"],
    ["nothing that says whom to trust", [], "BUNDLE_ROOT_MISSING"],
    ["another fingerprint", ["--root", rootJson, "--fingerprint", `sha256:${"0".repeat(64)}`], "BUNDLE_ROOT_OTHER"],
    ["an option that skips it", [...NAMED, "--no-verify"], "CLI_USAGE"],
  ])("refuses with %s", async (_, options, code) => {
    expect(await verify(file, ...options)).toMatchObject({ code });
  });

  it("refuses a byte of another content behind the head", async () => {
    const bytes = readFileSync(file);
    const at = bytes.length - 2048;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(place.in("damaged.tkb"), bytes);
    expect(await verify("damaged.tkb", ...NAMED)).toMatchObject({ code: "BUNDLE_DAMAGED" });
  });

  it("refuses the signatures of another bundle", async () => {
    const other = await openBundle(await signed("two"));
    const mixed = await writtenBundle(testContents("three"));
    await replaceSlot(mixed, other.slot);
    await other.close();
    expect(await verify(mixed[0] ?? "", ...NAMED)).toMatchObject({ code: "BUNDLE_MIXED" });
  });

  it("refuses one that nobody has signed", async () => {
    const [unsigned = ""] = await writtenBundle();
    expect(await verify(unsigned, ...NAMED)).toMatchObject({ code: "BUNDLE_UNSIGNED" });
  });
});
