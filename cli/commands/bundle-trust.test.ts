import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scratch } from "../../operations/bundle/trust/test-trust.ts";
import { takeLock } from "../../stacks/host/lock.ts";
import { runCli } from "../test-io.ts";

const place = scratch();
afterAll(() => place[Symbol.dispose]());
// The form of 256 random bits: nothing is stretched.
writeFileSync(place.in("pass"), `${"0123456789abcdef".repeat(4)}\n`);
const NOW = new Date("2026-03-01T12:00:00Z");
const cli = (...argv: readonly string[]) => runCli(argv, { cwd: place.folder, now: () => NOW });
const json = async (...argv: readonly string[]) => {
  const { exit, stdout, stderr } = await cli(...argv, "--json");
  if (exit !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
};
const refusal = async (...argv: readonly string[]) => {
  const { exit, stdout } = await cli(...argv, "--json");
  return { exit, ...(JSON.parse(stdout) as { error: { code: string } }).error };
};
const KEY = ["--passphrase-file", "pass"] as const;

beforeAll(async () => {
  for (const name of ["anna", "bert", "carl", "root1", "root2"]) {
    await json("bundle", "trust", "key", `${name}.age`, ...KEY);
  }
});

const INIT = [
  ...["bundle", "trust", "init", "--tenant", "demo", "--dir", "vendor"],
  ...["--signer", "anna=anna.age.pub", "--signer", "bert=bert.age.pub", "--threshold", "2"],
  ...["--root-key", "one=root1.age.pub", "--root-key", "two=root2.age.pub", "--root-threshold", "2"],
];
const ROOT = join("vendor", "bundle", "root-1.json");

describe("bundle trust", () => {
  it("writes nothing with --dry-run, and no key twice", async () => {
    expect(await json(...INIT, "--dry-run")).toMatchObject({ written: false, missing: { own: 2 } });
    expect(await refusal("bundle", "trust", "show", "--dir", "vendor")).toMatchObject({ code: "BUNDLE_ROOT_MISSING" });
    const again = ["bundle", "trust", "key", "anna.age", ...KEY, "-o", "other.pub"];
    expect(await refusal(...again)).toMatchObject({ code: "SIGNER_KEY_EXISTS" });
    expect(await refusal(...again.slice(0, -2))).toMatchObject({ code: "SIGNER_KEY_EXISTS" });
  });

  it("does not count before the second person has signed", async () => {
    expect(await json(...INIT, "--key", "root1.age", ...KEY)).toMatchObject({ missing: { own: 1, before: 0 } });
    expect(await refusal(...INIT)).toMatchObject({ code: "BUNDLE_ROOT_INSTALLED" });
    const { fingerprint } = await json("bundle", "trust", "show", "--root", ROOT).then(({ roots }) => roots[0]);
    const install = ["bundle", "trust", "install", "--root", ROOT, "--fingerprint", fingerprint, "--site", "site"];
    expect(await refusal(...install)).toMatchObject({ code: "BUNDLE_ROOT_BELOW_THRESHOLD" });
    const sign = ["bundle", "trust", "sign", ROOT, "--key", "root2.age", ...KEY];
    expect(await refusal(...sign)).toMatchObject({ code: "CONFIRMATION_NEEDED" });
    const wrong = ["bundle", "trust", "sign", ROOT, "--key", "anna.age", ...KEY, "--yes"];
    expect(await refusal(...wrong)).toMatchObject({ code: "BUNDLE_SIGNER_UNKNOWN" });
    expect(await json(...sign, "--yes")).toMatchObject({ missing: { own: 0 }, fingerprint });
    expect(await json(...install, "--dry-run")).toMatchObject({ installed: true, dryRun: true });
    expect(await refusal("bundle", "trust", "show", "--site", "site")).toMatchObject({ code: "BUNDLE_ROOT_MISSING" });
    // Whoever brings a bundle meanwhile would write the root back that it has read.
    expect(existsSync(place.in("site"))).toBe(false);
    mkdirSync(place.in("site/staging"), { recursive: true });
    const unlock = takeLock(place.in("site/staging/lock"), process.pid);
    expect(await refusal(...install)).toMatchObject({ code: "STATE_LOCKED" });
    expect(existsSync(place.in("site/trust"))).toBe(false);
    unlock();
    expect(await json(...install)).toMatchObject({ installed: true });
    expect(readdirSync(place.in("site/staging"))).toEqual([]);
    expect(await json(...install)).toMatchObject({ installed: false });
    expect(await json("bundle", "trust", "show", "--site", "site")).toMatchObject({ seen: { version: 0 } });
  });

  it("warns of a folder that has something else in it, and of none that is a site's", async () => {
    const { fingerprint } = await json("bundle", "trust", "show", "--root", ROOT).then(({ roots }) => roots[0]);
    const install = ["bundle", "trust", "install", "--root", ROOT, "--fingerprint", fingerprint, "--dry-run", "--site"];
    for (const name of ["crowded", "own"]) mkdirSync(place.in(join(name, "versions")), { recursive: true });
    writeFileSync(place.in("crowded/notes.txt"), "");
    expect((await cli(...install, "crowded")).stderr).toMatch(/^warning: \["notes.txt"\] in .* is nothing of a site/);
    expect((await cli(...install, "own")).stderr).toBe("");
    expect((await cli(...install, "none")).stderr).toBe("");
  });

  it("follows no link that somebody left in a site", async () => {
    const { fingerprint } = await json("bundle", "trust", "show", "--root", ROOT).then(({ roots }) => roots[0]);
    for (const name of ["linked", "victim"]) mkdirSync(place.in(name));
    symlinkSync(place.in("victim"), place.in("linked/trust"));
    const install = ["bundle", "trust", "install", "--root", ROOT, "--fingerprint", fingerprint, "--site", "linked"];
    expect(await refusal(...install)).toMatchObject({ code: "BUNDLE_SITE_FOREIGN" });
    expect([readdirSync(place.in("victim")), readdirSync(place.in("linked"))]).toEqual([[], ["trust"]]);
  });

  it("installs no root but the one of the fingerprint", async () => {
    const other = `sha256:${"0".repeat(64)}`;
    const install = ["bundle", "trust", "install", "--root", ROOT, "--site", "other", "--fingerprint"];
    expect(await refusal(...install, other)).toMatchObject({ code: "BUNDLE_ROOT_OTHER", exit: 3 });
    expect(await refusal(...install, other.slice(7))).toMatchObject({ code: "CLI_USAGE" });
    expect(await refusal(...install.slice(0, -1))).toMatchObject({ code: "CLI_USAGE" });
  });

  it("takes no public key for a key that signs, and no key for its public one: each names the other", async () => {
    const taken = await refusal(...INIT, "--dir", "wrong", "--key", "root1.age.pub", ...KEY);
    expect(taken).toMatchObject({ code: "SIGNER_KEY_CORRUPT", fix: expect.stringMatching(/itself: .*root1\.age$/) });
    const signer = await refusal("bundle", "trust", "init", "--dir", "wrong", "--signer", "anna=anna.age");
    expect(signer).toMatchObject({ code: "BUNDLE_TRUST_INVALID", fix: expect.stringContaining(".pub") });
  });

  it.each([
    ["is a folder", ".", "EISDIR"],
    ["is not there", "none.json", "there is no file"],
    ["lies below a file", join("pass", "root.json"), "ENOTDIR"],
  ])("reads no root that %s, and says so", async (_, file, message) => {
    const named = ["--root", file, "--fingerprint", `sha256:${"0".repeat(64)}`, "--site", "other"];
    const expected = { code: "BUNDLE_ROOT_MISSING", message: expect.stringContaining(message) };
    expect(await refusal("bundle", "trust", "install", ...named)).toMatchObject(expected);
  });

  it("rotates with both the old and the new, and only with a change", async () => {
    const rotate = ["bundle", "trust", "rotate", "--dir", "vendor"];
    expect(await refusal(...rotate)).toMatchObject({ code: "BUNDLE_TRUST_INVALID" });
    expect(await refusal(...rotate, "--remove-signer", "nobody")).toMatchObject({ code: "BUNDLE_TRUST_INVALID" });
    expect(await refusal(...rotate, "--remove-signer", "bert")).toMatchObject({ code: "BUNDLE_TRUST_INVALID" });
    const change = [...rotate, "--remove-signer", "bert", "--signer", "carl=carl.age.pub"];
    const both = ["--key", "root1.age", "--key", "root2.age", ...KEY];
    expect(await json(...change, ...both)).toMatchObject({ version: 2, missing: { own: 0, before: 0 } });
  });

  it.each([
    ["a signer without a file", ["--signer", "anna"], "CLI_USAGE"],
    ["a file that is not there", ["--signer", "anna=nothing.pub"], "CLI_FILE"],
    ["a private key", ["--signer", "anna=private.pem"], "BUNDLE_TRUST_INVALID"],
    ["no signer", ["--root-key", "one=root1.age.pub"], "BUNDLE_TRUST_INVALID"],
    ["one key under two names", [...INIT.slice(7), "--signer", "carl=anna.age.pub"], "BUNDLE_TRUST_INVALID"],
    ["a threshold above the number", [...INIT.slice(7), "--threshold", "3"], "BUNDLE_TRUST_INVALID"],
    ["a threshold of nothing", [...INIT.slice(7), "--threshold", "0"], "CLI_USAGE"],
  ])("makes no root of %s", async (_, options, code) => {
    writeFileSync(place.in("private.pem"), "-----BEGIN PRIVATE KEY-----\n");
    const refused = await refusal("bundle", "trust", "init", "--dir", "elsewhere", ...options);
    expect(refused).toMatchObject({ code });
  });

  it("takes no key from the state directory, and no PIN in a URI", async () => {
    expect(
      await refusal("bundle", "trust", "key", "vendor/k.age", ...KEY, "--dir", "vendor", "-o", "k.pub"),
    ).toMatchObject({
      code: "ROOT_KEY_ONLINE",
    });
    const pin = "pkcs11:token=t;object=o?module-path=/l.so&pin-source=/p&pin-value=1234";
    const refused = await refusal("bundle", "trust", "key", pin, "-o", "p.pub");
    expect(refused).toMatchObject({ code: "SIGNER_URI_INVALID" });
    expect(JSON.stringify(refused)).not.toContain("1234");
    expect(readFileSync(place.in("anna.age.pub"), "utf8")).toContain("BEGIN PUBLIC KEY");
  });
});
