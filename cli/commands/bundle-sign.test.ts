import { createPublicKey } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { SLOT_BYTES } from "../../operations/bundle/format/slot.ts";
import { largeContents, TEST_SLOT, testContents } from "../../operations/bundle/format/test-bundle.ts";
import { replaceSlot } from "../../operations/bundle/format/write.ts";
import { testVendor } from "./test-vendor.ts";

const PASS = ["--passphrase-file", "pass"] as const;

// Anna signs where the roots are; Bert has his key, the bundle, and the root's fingerprint. It takes both.
const vendor = await testVendor({
  threshold: 2,
  more: async ({ json, in: inFolder }) => {
    // The form of 256 random bits: nothing is stretched.
    writeFileSync(inFolder("pass"), `${"0123456789abcdef".repeat(4)}\n`);
    for (const name of ["bert", "carl"]) await json("bundle", "trust", "key", `${name}.age`, ...PASS);
    return { bert: { publicKeySpki: spkiOf(inFolder("bert.age.pub")) } };
  },
});
afterAll(vendor.remove);

function spkiOf(file: string): Buffer {
  return createPublicKey(readFileSync(file)).export({ type: "spki", format: "der" });
}

const { named, json } = vendor;
const sign = (file: string, key: string, ...options: readonly string[]) =>
  json("bundle", "sign", file, "--key", `${key}.age`, ...PASS, "--dir", "of-bert", ...named, ...options);
const verify = (file: string) => json("bundle", "verify", file, ...named);
const namesOf = ({ signers }: Readonly<Record<string, unknown>>) =>
  (signers as { name: string }[]).map(({ name }) => name).toSorted();

let file: string;
let before: Buffer;
beforeEach(async () => {
  rmSync(vendor.in("of-bert"), { recursive: true, force: true });
  file = await vendor.bundle();
  before = readFileSync(file);
});

describe("bundle sign", () => {
  it("adds the signature that is missing, and changes nothing but the room for signatures", async () => {
    expect(await verify(file)).toMatchObject({ exit: 3, code: "BUNDLE_BELOW_THRESHOLD" });
    const said = await sign(file, "bert");
    expect(said).toMatchObject({ exit: 0, version: 1, reused: true, threshold: 2 });
    expect(namesOf(said)).toEqual(["anna", "bert"]);
    expect(await verify(file)).toMatchObject({ exit: 0, version: 1 });
    const after = readFileSync(file);
    expect(after.subarray(512 + SLOT_BYTES).equals(before.subarray(512 + SLOT_BYTES))).toBe(true);
    expect(after.subarray(0, 512).equals(before.subarray(0, 512))).toBe(true);
  });

  it("gives the same bytes when somebody signs twice", async () => {
    await sign(file, "bert");
    const once = readFileSync(file);
    const again = await sign(file, "bert");
    expect(again).toMatchObject({ exit: 0, version: 1, reused: true });
    expect(namesOf(again)).toEqual(["anna", "bert"]);
    expect(readFileSync(file).equals(once)).toBe(true);
  });

  it("says with --dry-run what would be signed, and changes nothing", async () => {
    expect(await sign(file, "bert", "--dry-run")).toMatchObject({ exit: 0, dryRun: true, version: 1, reused: true });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(existsSync(vendor.in("of-bert"))).toBe(false);
  });

  it("signs a bundle in parts by its first one", async () => {
    const first = await vendor.bundle(largeContents(), 200_000);
    const second = readFileSync(first.replace(/001$/, "002"));
    expect(await sign(first, "bert")).toMatchObject({ exit: 0, threshold: 2 });
    expect(await verify(first)).toMatchObject({ exit: 0 });
    expect(readFileSync(first.replace(/001$/, "002")).equals(second)).toBe(true);
  });
});

describe("bundle sign refuses, and leaves the bundle as it is:", () => {
  const refused = async (code: string, exit: number, key = "bert", ...options: readonly string[]) => {
    const found = readFileSync(file);
    expect(await sign(file, key, ...options)).toMatchObject({ code, exit });
    expect(readFileSync(file).equals(found)).toBe(true);
    expect(existsSync(vendor.in("of-bert/bundle/ledger.jsonl"))).toBe(false);
  };

  it("the key of nobody whom the root names", () => refused("BUNDLE_SIGNER_UNKNOWN", 3, "carl"));

  it("no key, one that is not there, and another root", async () => {
    const nobody = ["bundle", "sign", file, "--dir", "of-bert"];
    expect(await json(...nobody, ...named)).toMatchObject({ exit: 2, code: "CLI_USAGE" });
    expect(await json(...nobody, "--key", "bert.age", ...PASS)).toMatchObject({ code: "BUNDLE_ROOT_MISSING" });
    await refused("SIGNER_KEY_MISSING", 4, "dora");
    await refused("BUNDLE_ROOT_OTHER", 3, "bert", "--fingerprint", `sha256:${"0".repeat(64)}`);
  });

  it("the signatures of a bundle with another manifest: it would take a version of its own, and lose the other signature", async () => {
    const other = await openBundle(await vendor.bundle(testContents("other")));
    await replaceSlot([file], other.slot);
    await other.close();
    await refused("BUNDLE_MIXED", 5);
  });

  it("a bundle that nobody has signed yet", async () => {
    await replaceSlot([file], TEST_SLOT);
    await refused("BUNDLE_UNSIGNED", 3);
  });

  it("bytes that are not those of the manifest: nobody signs for what he has not read", async () => {
    const bytes = readFileSync(file);
    const at = bytes.length - 2048;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await refused("BUNDLE_DAMAGED", 3);
  });

  it("parts of which one is missing", async () => {
    file = await vendor.bundle(largeContents(), 200_000);
    rmSync(file.replace(/001$/, "002"));
    await refused("BUNDLE_PART_MISSING", 6);
  });
});
