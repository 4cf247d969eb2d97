import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stableJson } from "../../../shared/stable-json.ts";
import { bundledFile } from "../format/file.ts";
import { layoutOf } from "../format/layout.ts";
import { digestOf } from "../format/manifest.ts";
import type { Bundle } from "../format/read.ts";
import { blobOf, removeFolders, testContents, testFolder, UNWATCHED } from "../format/test-bundle.ts";
import type { BlobSource } from "../format/write.ts";
import { bundleTrustErrors } from "../trust/errors.ts";
import type { SignedHead } from "./apply-delta.ts";
import { makePatch } from "./patch.ts";
import { DELTA_FILES, type Recipe } from "./recipe.ts";
import { applied, closeBundles, deltaBetween, layeredContents, noise, openedBundle, reopened } from "./test-delta.ts";

const SERVICE = noise("service", 40_000);
const NEWER = Buffer.concat([SERVICE.subarray(0, 20_000), Buffer.from("newer"), SERVICE.subarray(20_000)]);

let old: Bundle;
let full: Bundle;
let delta: Bundle;
beforeEach(async () => {
  old = await openedBundle(layeredContents({ service: SERVICE }));
  full = await openedBundle(layeredContents({ service: NEWER }, "b"));
  delta = await deltaBetween(old, full);
});
afterEach(async () => {
  await closeBundles();
  removeFolders();
});

/** Applies, and finds nothing at the place afterwards. */
async function refused(base: Bundle, by: Bundle, decide = (head: SignedHead) => head): Promise<unknown> {
  const folder = testFolder();
  const out = join(folder, "full.tkb");
  const thrown = await applied(base, by, { out, decide }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(readdirSync(folder)).toEqual([]);
  return thrown;
}

/** A copy of a bundle with one byte changed. */
async function flipped(bundle: Bundle, at: number): Promise<Bundle> {
  const bytes = readFileSync(bundle.path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  const path = join(testFolder(), "flipped.tkb");
  writeFileSync(path, bytes);
  return reopened(path);
}

/** The delta with some of its files changed, as whoever signs might make it. */
async function rewritten(
  change: (recipe: Recipe) => unknown,
  { more = [], manifest, without }: { more?: readonly BlobSource[]; manifest?: Uint8Array; without?: string } = {},
): Promise<Bundle> {
  const recipe = JSON.parse(Buffer.from(await bundledFile(delta, DELTA_FILES.recipe, UNWATCHED.signal)).toString());
  change(recipe);
  const own = {
    [DELTA_FILES.recipe]: Buffer.from(stableJson(recipe)),
    [DELTA_FILES.manifest]: manifest ?? Buffer.from(full.manifestBytes),
    [DELTA_FILES.slot]: Buffer.from(full.slot),
  };
  const sources: BlobSource[] = [...Object.values(own).map(blobOf), ...more];
  for await (const { digest, bytes, content } of delta.blobs(
    new Set(delta.manifest.blobs.map((each) => each.digest)),
    UNWATCHED,
  )) {
    const whole = Buffer.concat(await content.toArray());
    sources.push({ digest, bytes, open: () => Readable.from([whole]) });
  }
  return openedBundle({
    ...delta.manifest,
    base: delta.manifest.base ?? "",
    plain: [],
    files: Object.entries(own)
      .filter(([path]) => path !== without)
      .map(([path, bytes]) => ({ path, digest: digestOf(bytes), executable: false })),
    groups: [[...new Map(sources.map((each) => [each.digest, each])).values()]],
  });
}

const first = (recipe: Recipe) => recipe.rebuilt[0]!;
const MALFORMED = { code: "BUNDLE_DELTA_MALFORMED", exit: 5 };

it("asks whether the delta counts before a byte of its body is read, and then whether the full bundle does", async () => {
  const heads: string[] = [];
  const damaged = await flipped(delta, delta.bytes - 2_000);
  const seen = (head: SignedHead): SignedHead => {
    heads.push(digestOf(head.manifestBytes));
    return head;
  };
  const thrown = await refused(old, damaged, seen);
  expect(thrown).toMatchObject({ code: "BUNDLE_DAMAGED" });
  expect(heads).toEqual([digestOf(delta.manifestBytes)]);
  heads.length = 0;
  await applied(old, delta, { decide: seen });
  expect(heads).toEqual([digestOf(delta.manifestBytes), digestOf(full.manifestBytes)]);
});

describe("refused, and nothing is written:", () => {
  it("a delta, or a full bundle in it, that does not count", async () => {
    const code = "BUNDLE_OTHER_TENANT";
    const unless = (bundle: Bundle) => (head: SignedHead) => {
      if (digestOf(head.manifestBytes) === digestOf(bundle.manifestBytes)) throw bundleTrustErrors.error(code, "no");
      return head;
    };
    expect(await refused(old, delta, unless(delta))).toMatchObject({ code });
    expect(await refused(old, delta, unless(full))).toMatchObject({ code });
  });

  it("another base, also the full bundle itself; a delta as the base; a full bundle as the delta", async () => {
    const other = await openedBundle(testContents("c"));
    expect(await refused(other, delta)).toMatchObject({ code: "BUNDLE_DELTA_OTHER_BASE", exit: 5 });
    expect(await refused(full, delta)).toMatchObject({ code: "BUNDLE_DELTA_OTHER_BASE" });
    expect(await refused(delta, delta)).toMatchObject({ code: "BUNDLE_DELTA_NEEDS_FULL", exit: 2 });
    expect(await refused(old, full)).toMatchObject({ code: "BUNDLE_DELTA_IS_FULL", exit: 2 });
  });

  it("the second of two deltas on the bundle that the first one changes", async () => {
    const next = await openedBundle(layeredContents({ service: noise("third", 40_000) }, "c"));
    expect(await refused(old, await deltaBetween(full, next))).toMatchObject({ code: "BUNDLE_DELTA_OTHER_BASE" });
  });

  it("a base with a damaged byte, in whichever of its segments it is", async () => {
    for (const { path, offset, bytes } of layoutOf(old.manifest).entries.filter((entry) =>
      entry.path.startsWith("segments/"),
    )) {
      const thrown = await refused(await flipped(old, offset + (bytes >> 1)), delta);
      const codes = ["BUNDLE_DAMAGED", "BUNDLE_SOURCE_CHANGED"];
      expect(codes, path).toContain((thrown as { code?: string } | undefined)?.code);
    }
  });

  it("a delta with a byte changed anywhere behind its head", async () => {
    const [{ offset: from = 0 } = {}] = layoutOf(delta.manifest).entries.filter(
      ({ path }) => path === "segments/0001.zst",
    );
    for (let at = from; at < delta.bytes; at += Math.ceil((delta.bytes - from) / 25)) {
      expect(await refused(old, await flipped(delta, at)), `byte ${at}`).toMatchObject({ code: "BUNDLE_DAMAGED" });
    }
  });
});

describe("a signed delta that does not lead to its bundle is refused:", () => {
  it.each<[string, (recipe: Recipe) => unknown]>([
    ["another form", (r) => Object.assign(r, { schema: "trustkern.bundle-delta/2" })],
    ["a member more", (r) => Object.assign(r, { note: 1 })],
    ["a content that is made twice", (r) => r.rebuilt.push(first(r))],
    ["a content that the bundle does not have", (r) => (first(r).digest = `sha256:${"1".repeat(64)}`)],
    ["a source that the base does not have", (r) => (first(r).from = `sha256:${"1".repeat(64)}`)],
    ["a patch that it does not have", (r) => (first(r).pieces[0]!.patch = `sha256:${"1".repeat(64)}`)],
    ["more of a source than there is", (r) => (first(r).pieces[0]!.length += 1)],
    ["an offset behind the end", (r) => (first(r).pieces[0]!.offset = 2 ** 40)],
    ["fewer bytes than the content has", (r) => (first(r).pieces[0]!.bytes -= 1)],
    ["more pieces than the content has", (r) => first(r).pieces.push(first(r).pieces[0]!)],
    ["another part of the source", (r) => Object.assign(first(r).pieces[0]!, { offset: 1, length: 30_000 })],
    ["no way to a content", (r) => r.rebuilt.pop()],
  ])("%s", async (_, change) => {
    expect(await refused(old, await rewritten(change))).toMatchObject(MALFORMED);
  });

  it.each(Object.values(DELTA_FILES))("no %s", async (without) => {
    expect(await refused(old, await rewritten(() => 0, { without }))).toMatchObject({
      ...MALFORMED,
      message: `it has no file "${without}"`,
    });
  });

  it("a manifest that is none", async () => {
    for (const manifest of [Buffer.from("{}"), Buffer.concat([full.manifestBytes, Buffer.from("\n")])]) {
      expect(await refused(old, await rewritten(() => 0, { manifest }))).toMatchObject(MALFORMED);
    }
  });

  it("a patch that unpacks to more than is said, however much more", async () => {
    const [one, two] = [
      await makePatch(SERVICE, Buffer.alloc(50_000_000)),
      await makePatch(SERVICE, NEWER.subarray(1)),
    ];
    for (const patch of [one, two, Buffer.from("no frame")]) {
      const source = blobOf(patch);
      const bomb = await rewritten((r) => (first(r).pieces[0]!.patch = source.digest), { more: [source] });
      expect(await refused(old, bomb)).toMatchObject(MALFORMED);
    }
  });

  it("a patch that gives other bytes of the right number", async () => {
    const source = blobOf(await makePatch(SERVICE, noise("other", NEWER.length)));
    const wrong = await rewritten((r) => (first(r).pieces[0]!.patch = source.digest), { more: [source] });
    expect(await refused(old, wrong)).toMatchObject(MALFORMED);
  });

  it("a way to another tenant's bundle, or to a delta", async () => {
    const other = await openedBundle({ ...layeredContents({ service: NEWER }, "b"), tenant: "other" });
    expect(await refused(old, await rewritten(() => 0, { manifest: other.manifestBytes }))).toMatchObject(MALFORMED);
    expect(await refused(old, await rewritten(() => 0, { manifest: delta.manifestBytes }))).toMatchObject({
      ...MALFORMED,
      message: "the bundle that it leads to is a delta itself",
    });
  });

  it("a bundle whose segments this runtime compresses to other bytes, and names the two libraries", async () => {
    const text = Buffer.from(full.manifestBytes).toString();
    const digest = full.manifest.segments.at(-1)?.digest ?? "";
    const manifest = Buffer.from(text.replace(digest, `sha256:${"1".repeat(64)}`));
    expect(await refused(old, await rewritten(() => 0, { manifest }))).toMatchObject(MALFORMED);
    const foreign = await rewritten((r) => Object.assign(r, { zstd: "9.9.9" }), { manifest });
    const thrown = await refused(old, foreign);
    expect(thrown).toMatchObject({ code: "BUNDLE_DELTA_RUNTIME", exit: 1, message: expect.stringContaining("9.9.9") });
  });
});

describe("room on the disk", () => {
  const needed = async (base: Bundle, by: Bundle): Promise<number> => {
    const thrown = await applied(base, by, { freeBytes: async () => 0 }).catch((error: Error) => error);
    expect(thrown).toMatchObject({ code: "BUNDLE_DISK_FULL", exit: 4 });
    const said = /needs (\d+) bytes .*and 0 bytes \(0 B\) are free on the file system that is mounted at "\//;
    return Number(said.exec((thrown as Error).message)?.[1]);
  };

  it("is looked for before anything is rebuilt or written, and a byte too little is too little", async () => {
    const bytes = await needed(old, delta);
    expect(bytes).toBeGreaterThan(full.bytes);
    const begun: string[] = [];
    const [folder, scratchDir] = [testFolder(), testFolder()];
    const view = { begin: (what: string) => begun.push(what), onBytes: () => undefined };
    const job = { out: join(folder, "full.tkb"), scratchDir, view, freeBytes: async () => bytes - 1 };
    await expect(applied(old, delta, job)).rejects.toMatchObject({ code: "BUNDLE_DISK_FULL" });
    expect([begun, readdirSync(folder), readdirSync(scratchDir)]).toEqual([["verifying"], [], []]);
    await applied(old, delta, { freeBytes: async () => bytes });
  });

  it("is enough for what is there at any moment, also where contents come in another order", async () => {
    const layers = { a: noise("a", 300_000), b: noise("b", 200_000), c: noise("c", 250_000) };
    const swapped = { c: layers.c, b: Buffer.concat([layers.b, Buffer.from("more")]), d: noise("d"), a: layers.a };
    const [before, after] = [await openedBundle(layeredContents(layers)), await openedBundle(layeredContents(swapped))];
    const made = await deltaBetween(before, after);
    const scratchDir = testFolder();
    let most = 0;
    const look = (): void => {
      most = Math.max(most, bytesBelow(scratchDir));
    };
    await applied(before, made, { scratchDir, view: { begin: look, onBytes: look } });
    const said = await needed(before, made);
    expect(most).toBeGreaterThan(700_000);
    expect(most + after.bytes).toBeLessThanOrEqual(said);
    expect(said).toBeLessThan(2 * (most + after.bytes));
  });
});

function bytesBelow(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

it("cancelled, or with its output there, it writes nothing and leaves what is there", async () => {
  const cancelled = AbortSignal.abort();
  await expect(applied(old, delta, { signal: cancelled })).rejects.toMatchObject({ code: "BUNDLE_CANCELLED", exit: 8 });
  const folder = join(testFolder(), "there");
  mkdirSync(folder);
  const out = join(folder, "full.tkb");
  writeFileSync(out, "kept");
  await expect(applied(old, delta, { out })).rejects.toMatchObject({ code: "BUNDLE_OUTPUT_THERE" });
  expect(readFileSync(out, "utf8")).toBe("kept");
});
