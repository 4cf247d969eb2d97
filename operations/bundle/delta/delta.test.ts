import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { SLOT_BYTES } from "../format/slot.ts";
import { blobOf, largeContents, removeFolders, testContents, testFolder, UNWATCHED } from "../format/test-bundle.ts";
import type { BundleContents } from "../format/write.ts";
import { deltaContents } from "./make-delta.ts";
import { applied, closeBundles, deltaBetween, layeredContents, noise, openedBundle } from "./test-delta.ts";

afterEach(async () => {
  await closeBundles();
  removeFolders();
});

/** Rebuilds one bundle from another, and gives the sizes. */
async function roundTrip(before: BundleContents, after: BundleContents): Promise<{ delta: number; full: number }> {
  const old = await openedBundle(before);
  const full = await openedBundle(after, Buffer.from(`{}${" ".repeat(SLOT_BYTES - 3)}\n`));
  const delta = await deltaBetween(old, full);
  const { files } = await applied(old, delta);
  const [file = ""] = files;
  expect(readFileSync(file).equals(readFileSync(full.path))).toBe(true);
  return { delta: delta.bytes, full: full.bytes };
}

/** Another one with a few bytes put in, taken out, and changed. */
function edited(bytes: Buffer, at = bytes.length >> 1): Buffer {
  const changed = Buffer.from(bytes.subarray(at + 7));
  changed[0] = (changed[0] ?? 0) ^ 1;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from("some more"), changed]);
}

describe("a delta, applied to the old bundle, gives the full one to the byte", () => {
  it("where one layer changed in a few bytes, and is then as large as those", async () => {
    const service = noise("service", 400_000);
    const layers = { other: noise("other", 400_000), service };
    const { delta, full } = await roundTrip(
      layeredContents(layers),
      layeredContents({ ...layers, service: edited(service) }),
    );
    // The signatures of both bundles are in it, and they are 64 KiB of spaces here.
    expect(delta).toBeLessThan(2 * SLOT_BYTES);
    expect(full).toBeGreaterThan(800_000);
  });

  it("where files have other names for what they import, as modules of the toolkit do", async () => {
    const modules = (hash: string, change: (bytes: Buffer) => Buffer): BundleContents => {
      const contents = testContents();
      const made = [200_000, 150_000, 151_000].map((size, index) => {
        const bytes = change(noise(`module ${index}`, size));
        return { path: `toolkit/lib/chunk-${hash}${index}.mjs`, source: blobOf(bytes) };
      });
      const files = made.map(({ path, source }) => ({ path, digest: source.digest, executable: false }));
      const groups = [...contents.groups, made.map(({ source }) => source)];
      return { ...contents, files: [...contents.files, ...files], groups };
    };
    const { delta } = await roundTrip(
      modules("ABCDEF2", (bytes) => bytes),
      modules("QRSTUV7", (bytes) => edited(bytes)),
    );
    expect(delta).toBeLessThan(2 * SLOT_BYTES);
  });

  it("where nothing changed, and where everything did", async () => {
    await roundTrip(testContents(), testContents());
    await roundTrip(largeContents(), layeredContents({ service: noise("new") }, "b"));
  });

  it("where segments, plain files, files and images are new, gone, or somewhere else", async () => {
    const { plain, ...rest } = largeContents();
    await roundTrip(testContents(), {
      ...rest,
      plain: [...plain, { path: "unzstd", executable: true, content: noise("z") }],
    });
    await roundTrip({ ...rest, plain: [{ path: "unzstd", executable: true, content: noise("z") }] }, testContents());
    const moved = {
      ...rest,
      groups: rest.groups.toReversed(),
      plain: [{ path: "unzstd", executable: false, content: edited(noise("z")) }],
    };
    await roundTrip({ ...rest, plain: [{ path: "unzstd", executable: true, content: noise("z") }] }, moved);
  });

  it("where what was a plain file is a layer, and the other way round", async () => {
    const bytes = noise("both");
    const plain = [{ path: "unzstd", executable: true, content: bytes }];
    await roundTrip({ ...testContents(), plain }, layeredContents({ one1: bytes }));
    await roundTrip(layeredContents({ one1: bytes }), { ...testContents(), plain });
  });

  it("where a layer is larger than one piece", { timeout: 60_000 }, async () => {
    const large = noise("large", 8_500_000);
    const { delta } = await roundTrip(layeredContents({ large }), layeredContents({ large: edited(large, 8_450_000) }));
    expect(delta).toBeLessThan(2 * SLOT_BYTES);
  });

  it("whatever changed, in whatever order layers lie", { timeout: 60_000 }, async () => {
    const layer = fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      bytes: fc.constantFrom("x", "y", "z"),
      edits: fc.nat(2),
    });
    const layers = fc.uniqueArray(layer, { selector: ({ name }) => name, maxLength: 4 });
    const contents = (all: readonly { name: string; bytes: string; edits: number }[], note: string) =>
      layeredContents(
        Object.fromEntries(
          all.map(({ name, bytes, edits }) => [
            `layer-${name}`,
            Array.from({ length: edits }).reduce(
              (made: Buffer, _, i) => edited(made, 3_000 * (i + 1)),
              noise(bytes, 20_000),
            ),
          ]),
        ),
        note,
      );
    await fc.assert(
      fc.asyncProperty(layers, layers, fc.constantFrom("a", "b"), async (before, after, note) => {
        await roundTrip(contents(before, "a"), contents(after, note));
        await closeBundles();
        removeFolders();
      }),
      { numRuns: 12 },
    );
  });

  it("in parts as well", async () => {
    const [old, full] = [await openedBundle(testContents()), await openedBundle(largeContents())];
    const { files } = await applied(old, await deltaBetween(old, full), { splitBytes: 200_000 });
    expect(files.length).toBeGreaterThan(1);
    expect(Buffer.concat(files.map((file) => readFileSync(file))).equals(readFileSync(full.path))).toBe(true);
  });
});

it("made again, it has the same bytes", async () => {
  const [old, full] = [await openedBundle(testContents()), await openedBundle(layeredContents({ x: noise("x") }, "b"))];
  const [one, two] = [await deltaBetween(old, full), await deltaBetween(old, full)];
  expect(readFileSync(one.path).equals(readFileSync(two.path))).toBe(true);
});

describe("no delta is made", () => {
  const made = (old: BundleContents, full: BundleContents) => async () =>
    deltaContents(
      { old: await openedBundle(old), full: await openedBundle(full) },
      { ...UNWATCHED, scratchDir: testFolder() },
    );

  it("between two tenants, or two deployments", async () => {
    const code = { code: "BUNDLE_DELTA_OTHER_DEPLOYMENT", exit: 5 };
    await expect(made(testContents(), { ...testContents(), tenant: "other" })).rejects.toMatchObject(code);
    await expect(made(testContents(), { ...testContents(), deployment: "other" })).rejects.toMatchObject(code);
  });

  it("from or to a delta", async () => {
    const code = { code: "BUNDLE_DELTA_NEEDS_FULL", exit: 2 };
    const base = `sha256:${"0".repeat(64)}`;
    await expect(made({ ...testContents(), base }, testContents())).rejects.toMatchObject(code);
    await expect(made(testContents(), { ...testContents(), base })).rejects.toMatchObject(code);
  });
});
