import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { testContents, writtenBundle } from "../../operations/bundle/format/test-bundle.ts";
import { replaceSlot } from "../../operations/bundle/format/write.ts";
import { installRoot } from "../../operations/bundle/trust/site.ts";
import { runCli } from "../test-io.ts";
import { testVendor } from "./test-vendor.ts";

const vendor = await testVendor();
afterAll(vendor.remove);
const { named, root } = vendor;
const [, rootJson = ""] = named;
const verify = (file: string, ...options: readonly string[]) => vendor.json("bundle", "verify", file, ...options);

let file: string;
beforeAll(async () => {
  file = await vendor.bundle(testContents("one"));
});

describe("bundle verify", () => {
  it("takes a bundle by a root that is named with its fingerprint, and changes nothing", async () => {
    const before = readFileSync(file);
    expect(await verify(file, ...named)).toMatchObject({ exit: 0, ok: true, version: 1, signers: [{ name: "anna" }] });
    expect(readFileSync(file)).toEqual(before);
  });

  it("takes it by the trust of a site", async () => {
    installRoot(vendor.in("site"), root, { dryRun: false });
    const seen = readFileSync(join(vendor.in("site"), "trust", "seen.json"));
    expect(await verify(file, "--site", "site")).toMatchObject({ exit: 0, version: 1 });
    expect(readFileSync(join(vendor.in("site"), "trust", "seen.json"))).toEqual(seen);
  });

  it("says so and goes on past its date", async () => {
    const late = new Date("2030-01-01T00:00:00Z");
    const { exit, stderr } = await runCli(["bundle", "verify", file, ...named], { now: () => late });
    expect(exit).toBe(0);
    expect(stderr).toContain("there should be a newer one");
  });

  it.each([
    ["a fingerprint without a root", ["--fingerprint", root.fingerprint], "CLI_USAGE"],
    ["a root without a fingerprint", ["--root", rootJson], "CLI_USAGE"],
    ["both a root and a site", [...named, "--site", "site"], "CLI_USAGE"],
    ["a site that trusts nobody", ["--site", "nowhere"], "BUNDLE_ROOT_MISSING"],
    ["nothing that says whom to trust", [], "BUNDLE_ROOT_MISSING"],
    ["another fingerprint", ["--root", rootJson, "--fingerprint", `sha256:${"0".repeat(64)}`], "BUNDLE_ROOT_OTHER"],
    ["an option that skips it", [...named, "--no-verify"], "CLI_USAGE"],
  ])("refuses with %s", async (_, options, code) => {
    expect(await verify(file, ...options)).toMatchObject({ code });
  });

  it("refuses a byte of another content behind the head", async () => {
    const bytes = readFileSync(file);
    const at = bytes.length - 2048;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(vendor.in("damaged.tkb"), bytes);
    expect(await verify("damaged.tkb", ...named)).toMatchObject({ code: "BUNDLE_DAMAGED" });
  });

  it("refuses the signatures of another bundle", async () => {
    const other = await openBundle(await vendor.bundle(testContents("two")));
    const mixed = await writtenBundle(testContents("three"));
    await replaceSlot(mixed, other.slot);
    await other.close();
    expect(await verify(mixed[0] ?? "", ...named)).toMatchObject({ code: "BUNDLE_MIXED" });
  });

  it("refuses one that nobody has signed", async () => {
    const [unsigned = ""] = await writtenBundle();
    expect(await verify(unsigned, ...named)).toMatchObject({ code: "BUNDLE_UNSIGNED" });
  });
});
