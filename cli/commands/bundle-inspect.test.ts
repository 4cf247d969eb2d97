import { dirname } from "node:path";
import { afterEach, expect, it } from "vitest";
import {
  blobOf,
  largeContents,
  removeFolders,
  testContents,
  writtenBundle,
} from "../../operations/bundle/format/test-bundle.ts";
import type { BundleContents } from "../../operations/bundle/format/write.ts";
import { runCli } from "../test-io.ts";

afterEach(removeFolders);

const inspect = (...argv: readonly string[]) => runCli(["bundle", "inspect", ...argv]);
const codeOf = async (...argv: readonly string[]): Promise<unknown> => {
  const { exit, stdout } = await inspect(...argv, "--json");
  return [exit, JSON.parse(stdout).error?.code];
};

function withSbom(sbom: string): BundleContents {
  const contents = testContents();
  const blob = blobOf(sbom);
  const file = { path: "sbom/broker.cdx.json", digest: blob.digest, executable: false };
  return { ...contents, files: [...contents.files, file], groups: [...contents.groups, [blob]] };
}

it("shows what a bundle says that it has, and that nothing of it is verified", async () => {
  const [file = ""] = await writtenBundle(withSbom("{}"));
  const { exit, stdout } = await inspect(file);
  expect(exit).toBe(0);
  expect(stdout).toMatch(
    /^site, tenant demo, profile air-gapped, toolkit 0.1.0 for linux-x64\nmanifest sha256:[0-9a-f]{64}\n/,
  );
  expect(stdout).toContain("17.6 KiB  one    trustkern/one");
  expect(stdout).toContain("17.6 KiB  broker trustkern/broker:0.1.0\n");
  expect(stdout).toContain("SBOMs: broker\nsignatures: the bundle has no signature\nnot verified: ");
});

it("gives one document on one line", async () => {
  const [file = ""] = await writtenBundle();
  const { stdout } = await inspect(file, "--json");
  expect(stdout.trimEnd()).not.toContain("\n");
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ schema: "trustkern.bundle-inspect/1", files: [file], base: null, sboms: [] });
  expect(document.images.map(({ name }: { name: string }) => name)).toEqual(["broker", "one"]);
});

it("counts parts as one bundle", async () => {
  const parts = await writtenBundle(largeContents(), 131_072);
  const { stdout } = await inspect(parts[0] ?? "");
  expect(stdout).toContain(` in ${parts.length} parts; `);
});

it("prints an SBOM, with what a terminal would obey as escapes", async () => {
  const [file = ""] = await writtenBundle(withSbom('{"name":"\\u001b[2J"}'));
  const { stdout } = await inspect(file, "--sbom", "broker");
  expect(stdout).toBe('{\n  "name": "\\u001b[2J"\n}\n');
  expect(JSON.parse((await inspect(file, "--sbom", "broker", "--json")).stdout)).toMatchObject({
    schema: "trustkern.bundle-sbom/1",
    name: "broker",
  });
});

it("says how two bundles differ", async () => {
  const [one = ""] = await writtenBundle();
  const [same = ""] = await writtenBundle();
  const [other = ""] = await writtenBundle(testContents("b"));
  expect((await inspect(one, same)).stdout).toBe("the same content\n");
  expect((await inspect(one, other)).stdout.split("\n").slice(0, 3)).toEqual([
    "~ image one",
    "~ file docs/read-me.md",
    "~ plain file READ-ME.txt",
  ]);
  const { stdout } = await inspect(one, other, "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ schema: "trustkern.bundle-diff/1", same: false },
    blobBytes: { added: 11, removed: 11 },
  });
});

it("refuses what is not there, and an SBOM of two bundles", async () => {
  const [file = ""] = await writtenBundle(withSbom("no JSON"));
  expect(await codeOf(`${dirname(file)}/none.tkb`)).toEqual([6, "BUNDLE_NOT_FOUND"]);
  expect(await codeOf(file, "--sbom", "toolkit")).toEqual([6, "BUNDLE_NO_ENTRY"]);
  expect(await codeOf(file, "--sbom", "../docs/read-me")).toEqual([6, "BUNDLE_NO_ENTRY"]);
  expect(await codeOf(file, "--sbom", "broker")).toEqual([2, "BUNDLE_MALFORMED"]);
  expect(await codeOf(file, file, "--sbom", "broker")).toEqual([2, "CLI_USAGE"]);
});
