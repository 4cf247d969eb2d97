import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { removeFolders, TEST_SLOT, writtenBundle } from "../../operations/bundle/format/test-bundle.ts";
import { replaceSlot } from "../../operations/bundle/format/write.ts";
import { signBundle } from "../../operations/bundle/trust/sign-bundle.ts";
import { MADE_AT, people, rootFacts, scratch, signedRoot } from "../../operations/bundle/trust/test-trust.ts";
import { writeRootFile } from "../../operations/bundle/trust/vendor-roots.ts";
import { runCli } from "../test-io.ts";

const place = scratch();
afterAll(() => {
  place[Symbol.dispose]();
  removeFolders();
});
const { anna, root } = await people("anna", "root");
const first = await signedRoot(rootFacts({ anna }, { root }, { tenant: "demo" }), root);

let files: readonly string[];
let slot: Uint8Array;
beforeAll(async () => {
  writeRootFile(place.in("root.json"), first);
  files = await writtenBundle();
  const bundle = await openBundle(files[0] ?? "");
  const job = { ...bundle, roots: [first], folder: place.in("vendor"), now: MADE_AT };
  slot = (await signBundle(job, [anna])).slot;
  await bundle.close();
  await replaceSlot(files, slot);
});

const run = (command: string, ...options: readonly string[]) =>
  runCli(["bundle", command, files[0] ?? "", ...options, "--json"], { cwd: place.folder, now: () => MADE_AT });
const extract = async (folder: string) => {
  const named = ["--root", "root.json", "--fingerprint", first.fingerprint];
  const { exit, stdout } = await run("extract", "--oci", folder, ...named);
  return { exit, ...JSON.parse(stdout), code: JSON.parse(stdout).error?.code };
};

it("writes the images of a bundle that counts as one layout, and never over a folder", async () => {
  const { exit, images } = await extract("layout");
  expect([exit, images.length]).toEqual([0, 2]);
  const index = JSON.parse(readFileSync(join(place.folder, "layout", "index.json"), "utf8"));
  expect(index.manifests.map(({ digest }: { digest: string }) => digest)).toEqual(
    images.map(({ digest }: { digest: string }) => digest),
  );
  expect(await extract("layout")).toMatchObject({ exit: 2, code: "BUNDLE_OUTPUT_THERE" });
});

it("writes nothing of a bundle that nobody has signed, or whose bytes are others", async () => {
  await replaceSlot(files, TEST_SLOT);
  expect((await extract("unsigned")).code).toBe("BUNDLE_UNSIGNED");
  await replaceSlot(files, slot);
  const bytes = readFileSync(files[0] ?? "");
  writeFileSync(files[0] ?? "", Buffer.from(bytes).fill("x", bytes.length - 2000, bytes.length - 1990));
  expect((await extract("damaged")).code).toBe("BUNDLE_DAMAGED");
  writeFileSync(files[0] ?? "", bytes);
  expect(["unsigned", "damaged"].filter((name) => existsSync(join(place.folder, name)))).toEqual([]);
});

it("asks for a folder", async () => {
  const { stdout } = await run("extract");
  expect(JSON.parse(stdout).error.code).toBe("CLI_USAGE");
});

it("leaves it to inspect to say who claims to have signed", async () => {
  const { claims } = JSON.parse((await run("inspect")).stdout);
  expect(claims).toMatchObject({ version: 1, signers: [{ name: "anna" }] });
});
