import { execFile } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import { openBundle } from "../format/read.ts";
import { removeFolders, testContents, writtenBundle } from "../format/test-bundle.ts";
import { replaceSlot } from "../format/write.ts";
import { signBundle } from "./sign-bundle.ts";
import { MADE_AT, people, rootFacts, scratch, signedRoot } from "./test-trust.ts";

const run = promisify(execFile);
/** The recipe of docs/guides/bundle-trust.md. */
const GUIDE = readFileSync("docs/guides/bundle-trust.md", "utf8");
const RECIPE = /```sh verify-with-openssl\n(.*?)```/s.exec(GUIDE)?.[1] ?? "";

const { anna, bert, root } = await people("anna", "bert", "root");
const first = await signedRoot(rootFacts({ anna, bert }, { root }, { tenant: "demo", threshold: 2 }), root);
afterAll(removeFolders);

async function leave(folder: string, mark = "a"): Promise<string> {
  const files = await writtenBundle(testContents(mark));
  const bundle = await openBundle(files[0] ?? "");
  const { slot } = await signBundle({ ...bundle, roots: [first], folder: `${folder}/v`, now: MADE_AT }, [anna, bert]);
  await bundle.close();
  await replaceSlot(files, slot);
  copyFileSync(files[0] ?? "", `${folder}/site.tkb`);
  return files[0] ?? "";
}
const writeKey = (folder: string, { publicKeySpki: key }: KeySigner) =>
  writeFileSync(
    `${folder}/anna.pub`,
    createPublicKey({ key, format: "der", type: "spki" }).export({ format: "pem", type: "spki" }),
  );
const openssl = (cwd: string) => run("sh", ["-ec", RECIPE], { cwd });

it.each([
  ["anna", anna],
  ["bert", bert],
] as const)("is verified by openssl as the guide says, with the key of %s", async (_, signer) => {
  using place = scratch();
  await leave(place.folder);
  writeKey(place.folder, signer);
  const { stdout } = await openssl(place.folder);
  expect(stdout).toMatch(/^Verified OK$/m);
  expect(stdout).toMatch(/^segments\/0001.zst: OK$/m);
});

it("is refused by openssl with another manifest, or somebody else's key", async () => {
  using place = scratch();
  await leave(place.folder);
  writeKey(place.folder, root);
  await expect(openssl(place.folder)).rejects.toThrow();
  writeKey(place.folder, anna);
  const other = await openBundle(await leave(place.folder, "b"));
  const mixed = await writtenBundle(testContents("c"));
  await replaceSlot(mixed, other.slot);
  await other.close();
  copyFileSync(mixed[0] ?? "", place.in("site.tkb"));
  await expect(openssl(place.folder)).rejects.toMatchObject({ stdout: expect.stringContaining("Verified OK") });
});

it.each([
  ["an entry more", "extra"],
  ["an entry twice", "SHA256SUMS"],
])("is refused by openssl with %s, before anything is taken out", async (_, name) => {
  using place = scratch();
  await leave(place.folder);
  writeKey(place.folder, anna);
  writeFileSync(place.in(name), "");
  await run("tar", ["-rf", "site.tkb", name], { cwd: place.folder });
  await expect(openssl(place.folder)).rejects.toMatchObject({ code: 1 });
  expect(existsSync(place.in("taken-out"))).toBe(false);
});

it("joins all parts as the guide says, also more than a hundred, and nothing beside them", async () => {
  using place = scratch();
  const join = /`(cat site\.tkb\.[^`]*)`/.exec(GUIDE)?.[1] ?? "";
  for (const part of ["001", "002", "099", "100", "101"]) writeFileSync(place.in(`site.tkb.${part}`), `${part} `);
  writeFileSync(place.in("site.tkb.0.sha256"), "sum");
  await run("sh", ["-ec", join], { cwd: place.folder });
  expect(readFileSync(place.in("site.tkb"), "utf8")).toBe("001 002 099 100 101 ");
});
