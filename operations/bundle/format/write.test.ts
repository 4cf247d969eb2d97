import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { digestOf } from "./manifest.ts";
import { openBundle } from "./read.ts";
import {
  blobOf,
  codeOf,
  largeContents,
  packed,
  removeFolders,
  TEST_SLOT,
  testContents,
  testFolder,
  UNWATCHED,
  writtenBundle,
} from "./test-bundle.ts";
import { packBundle, replaceSlot, writeArchive } from "./write.ts";

afterEach(removeFolders);

describe("the same contents", () => {
  it("give the same bytes", async () => {
    const [one = ""] = await writtenBundle(largeContents());
    const [other = ""] = await writtenBundle(largeContents());
    expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
  });

  it("give the same bytes in another order of lists, and however sources are cut", async () => {
    const contents = largeContents();
    const cut = contents.groups.map((group) =>
      group.map((blob) => ({ ...blob, open: () => Readable.from(pieces(blob.open())) })),
    );
    const lists = { files: contents.files.toReversed(), images: contents.images.toReversed() };
    const [one = ""] = await writtenBundle(contents);
    const [other = ""] = await writtenBundle({
      ...contents,
      ...lists,
      plain: contents.plain.toReversed(),
      groups: cut,
    });
    expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
  });
});

async function* pieces(source: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of source) for (let at = 0; at < chunk.length; at += 1000) yield chunk.subarray(at, at + 1000);
}

describe("writing", () => {
  it("never writes over a bundle, nor beside its parts", async () => {
    const [file = ""] = await writtenBundle();
    const before = readFileSync(file);
    const bundle = await packed(testContents("other"));
    expect(await codeOf(writeArchive(bundle, TEST_SLOT, file, UNWATCHED))).toBe("BUNDLE_OUTPUT_THERE");
    const out = join(testFolder(), "site.tkb");
    writeFileSync(`${out}.007`, "");
    expect(await codeOf(writeArchive(bundle, TEST_SLOT, out, UNWATCHED))).toBe("BUNDLE_OUTPUT_THERE");
    expect([readFileSync(file).equals(before), readdirSync(dirname(file))]).toEqual([true, ["site.tkb"]]);
    expect(readdirSync(dirname(out))).toEqual(["site.tkb.007"]);
  });

  it("leaves nothing when it is cancelled, also between parts", async () => {
    const bundle = await packed(largeContents());
    const out = join(testFolder(), "site.tkb");
    for (const splitBytes of [undefined, 131_072]) {
      const stop = new AbortController();
      const onProgress = ({ bytes }: { readonly bytes: number }): void => {
        if (bytes > 200_000) stop.abort();
      };
      const options = { signal: stop.signal, onProgress, ...(splitBytes && { splitBytes }) };
      expect(await codeOf(writeArchive(bundle, TEST_SLOT, out, options))).toBe("BUNDLE_CANCELLED");
      expect(readdirSync(dirname(out))).toEqual([]);
    }
  });

  it("leaves no segment when packing is cancelled, or a source cannot be read", async () => {
    const scratchDir = testFolder();
    const cancelled = { ...UNWATCHED, scratchDir, signal: AbortSignal.abort() };
    expect(await codeOf(packBundle(testContents(), cancelled))).toBe("BUNDLE_CANCELLED");
    const contents = testContents();
    const broken = new Readable({ read: () => broken.destroy(new Error("gone")) });
    const groups = [...contents.groups, [{ ...blobOf("x"), open: () => broken }]];
    expect(await codeOf(packBundle({ ...contents, groups }, { ...UNWATCHED, scratchDir }))).toBe(
      "BUNDLE_SOURCE_CHANGED",
    );
    expect(readdirSync(scratchDir)).toEqual([]);
  });

  it("refuses a segment or a plain file that changed after it was packed", async () => {
    const bundle = await packed();
    const out = join(testFolder(), "site.tkb");
    const write = (): Promise<unknown> => codeOf(writeArchive(bundle, TEST_SLOT, out, UNWATCHED));
    const [segment = ""] = bundle.segments;
    const stored = readFileSync(segment);
    writeFileSync(segment, Buffer.from(stored).fill(0, 3, 5));
    expect(await write()).toBe("BUNDLE_SOURCE_CHANGED");
    writeFileSync(segment, Buffer.concat([stored, stored]));
    expect(await write()).toMatch(/^BUNDLE_/);
    writeFileSync(segment, stored.subarray(1));
    expect(await write()).toMatch(/^BUNDLE_/);
    expect(readdirSync(dirname(out))).toEqual([]);
    writeFileSync(segment, stored);
    expect(await write()).toBeUndefined();
  });

  it("refuses parts that are too small, and signatures that are no slot", async () => {
    const bundle = await packed();
    const out = join(testFolder(), "site.tkb");
    for (const splitBytes of [0, -1, 131_071]) {
      const written = writeArchive(bundle, TEST_SLOT, out, { ...UNWATCHED, splitBytes });
      expect(await codeOf(written)).toBe("BUNDLE_SPLIT_RANGE");
    }
    expect(await codeOf(writeArchive(bundle, TEST_SLOT.subarray(1), out, UNWATCHED))).toBe("BUNDLE_MALFORMED");
  });

  it("says that a folder is not there", async () => {
    const out = join(testFolder(), "none", "site.tkb");
    expect(await codeOf(writeArchive(await packed(), TEST_SLOT, out, UNWATCHED))).toBe("BUNDLE_NOT_WRITABLE");
  });
});

describe("other signatures", () => {
  it("change the slot and nothing else, also in parts", async () => {
    const files = await writtenBundle(largeContents(), 131_072);
    const before = Buffer.concat(files.map((file) => readFileSync(file)));
    const slot = Buffer.from(TEST_SLOT).fill("x", 0, 10);
    await replaceSlot(files, slot);
    const after = Buffer.concat(files.map((file) => readFileSync(file)));
    expect(after.subarray(512, 512 + 65_536).equals(slot)).toBe(true);
    const rest = (bytes: Buffer) => digestOf(Buffer.concat([bytes.subarray(0, 512), bytes.subarray(512 + 65_536)]));
    expect(rest(after)).toBe(rest(before));
    const bundle = await openBundle(files[0] ?? "");
    expect(Buffer.from(bundle.slot).equals(slot)).toBe(true);
    await bundle.close();
  });

  it("are refused in another size, and for a file that is not there", async () => {
    const files = await writtenBundle();
    expect(await codeOf(replaceSlot(files, TEST_SLOT.subarray(1)))).toBe("BUNDLE_MALFORMED");
    expect(await codeOf(replaceSlot([`${files[0]}-none`], TEST_SLOT))).toBe("BUNDLE_NOT_WRITABLE");
  });
});
