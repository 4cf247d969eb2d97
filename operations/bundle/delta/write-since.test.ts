import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { removeFolders, TEST_SLOT, testFolder, UNWATCHED } from "../format/test-bundle.ts";
import { applied, closeBundles, layeredContents, noise, openedBundle, reopened } from "./test-delta.ts";
import { writeSince } from "./write-since.ts";

afterEach(async () => {
  await closeBundles();
  removeFolders();
});

const service = noise("service");
const newer = layeredContents({ service: Buffer.concat([Buffer.from("new"), service]) });

async function since(place: string, sign = async () => ({ slot: TEST_SLOT })) {
  const old = await openedBundle(layeredContents({ service }));
  const scratch = join(place, "cache", "bundles");
  const view = { begin: () => undefined, onBytes: () => undefined };
  const request = { contents: newer, out: join(place, "delta.tkb"), splitBytes: undefined, scratch, sign, view };
  const written = await writeSince(old, { ...request, signal: UNWATCHED.signal }).catch((thrown: unknown) => thrown);
  expect(readdirSync(scratch)).toEqual([]);
  return { old, written };
}

it("writes what leads to the bundle that create would write, and leaves nothing else", async () => {
  const place = testFolder();
  const { old, written } = await since(place);
  expect(readdirSync(place).toSorted()).toEqual(["cache", "delta.tkb"]);
  const { files, bytes, full } = written as Awaited<ReturnType<typeof writeSince>>;
  const delta = await reopened(files[0] ?? "");
  expect([bytes, delta.bytes < full.bytes]).toEqual([delta.bytes, true]);
  const again = await applied(old, delta);
  const expected = await openedBundle(newer);
  expect(readFileSync(again.files[0] ?? "").equals(readFileSync(expected.path))).toBe(true);
});

it("leaves nothing where the delta is not signed", async () => {
  const place = testFolder();
  let asked = 0;
  const { written } = await since(place, async () => {
    asked += 1;
    if (asked === 2) throw new Error("no key");
    return { slot: TEST_SLOT };
  });
  expect(written).toMatchObject({ message: "no key" });
  expect(readdirSync(place)).toEqual(["cache"]);
});

it("refuses a scratch folder that cannot be", async () => {
  const place = testFolder();
  writeFileSync(join(place, "cache"), "");
  const old = await openedBundle(newer);
  const request = {
    contents: newer,
    out: join(place, "d"),
    splitBytes: undefined,
    scratch: join(place, "cache", "bundles"),
  };
  const view = { begin: () => undefined, onBytes: () => undefined };
  const sign = async () => ({ slot: TEST_SLOT });
  await expect(writeSince(old, { ...request, view, sign, signal: UNWATCHED.signal })).rejects.toMatchObject({
    code: "BUNDLE_NOT_WRITABLE",
  });
});
