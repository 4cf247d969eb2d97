import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { TEST_SLOT } from "../../operations/bundle/format/test-bundle.ts";
import { replaceSlot } from "../../operations/bundle/format/write.ts";
import { testVendor } from "./test-vendor.ts";

const vendor = await testVendor();
afterAll(vendor.remove);

let file: string;
let slot: Uint8Array;
beforeAll(async () => {
  file = await vendor.bundle();
  const bundle = await openBundle(file);
  slot = bundle.slot;
  await bundle.close();
});

const extract = (folder: string) => vendor.json("bundle", "extract", file, "--oci", folder, ...vendor.named);

it("writes the images of a bundle that counts as one layout, and never over a folder", async () => {
  const { exit, images } = await extract("layout");
  expect(exit).toBe(0);
  expect(images).toHaveLength(2);
  const index = JSON.parse(readFileSync(join(vendor.folder, "layout", "index.json"), "utf8"));
  const digests = (all: unknown) => (all as { digest: string }[]).map(({ digest }) => digest);
  expect(digests(index.manifests)).toEqual(digests(images));
  expect(await extract("layout")).toMatchObject({ exit: 2, code: "BUNDLE_OUTPUT_THERE" });
});

it("writes nothing of a bundle that nobody has signed, or whose bytes are others", async () => {
  await replaceSlot([file], TEST_SLOT);
  expect((await extract("unsigned")).code).toBe("BUNDLE_UNSIGNED");
  await replaceSlot([file], slot);
  const bytes = readFileSync(file);
  writeFileSync(file, Buffer.from(bytes).fill("x", bytes.length - 2000, bytes.length - 1990));
  expect((await extract("damaged")).code).toBe("BUNDLE_DAMAGED");
  writeFileSync(file, bytes);
  expect(["unsigned", "damaged"].filter((name) => existsSync(join(vendor.folder, name)))).toEqual([]);
});

it("asks for a folder", async () => {
  expect(await vendor.json("bundle", "extract", file)).toMatchObject({ code: "CLI_USAGE" });
});

it("leaves it to inspect to say who claims to have signed", async () => {
  const { claims } = await vendor.json("bundle", "inspect", file);
  expect(claims).toMatchObject({ version: 1, signers: [{ name: "anna" }] });
});
