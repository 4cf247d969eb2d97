import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, zstdCompressSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { bundleFormatErrors } from "./errors.ts";
import { BLOCK_BYTES, renderHeader } from "./layout.ts";
import { digestOf, MAX_MANIFEST_BYTES, type Manifest, parseManifest, renderManifest } from "./manifest.ts";
import { type Bundle, bundleIn, openBundle } from "./read.ts";
import { SLOT_BYTES } from "./slot.ts";
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
import { writeArchive } from "./write.ts";

afterEach(removeFolders);

/** What opening and reading every byte comes to. */
async function verified(path: string): Promise<unknown> {
  return codeOf(
    (async () => {
      const bundle = await openBundle(path);
      try {
        await bundle.verifyBytes(UNWATCHED);
      } finally {
        await bundle.close();
      }
    })(),
  );
}

async function inflated(bundle: Bundle, wanted?: readonly string[]): Promise<unknown> {
  return (await inflating(bundle, wanted))?.code;
}

async function inflating(
  bundle: Bundle,
  wanted: readonly string[] = bundle.manifest.blobs.map(({ digest }) => digest),
): Promise<{ readonly code?: unknown; readonly message: string } | undefined> {
  try {
    for await (const { content } of bundle.blobs(new Set(wanted), UNWATCHED)) for await (const _ of content);
    return undefined;
  } catch (thrown) {
    return thrown as Error;
  } finally {
    await bundle.close();
  }
}

/** A bundle that agrees with itself, whose last segment is of these bytes. */
async function withSegment(stored: Uint8Array, change: (manifest: Manifest) => Partial<Manifest> = () => ({})) {
  const bundle = await packed(largeContents(10));
  const file = join(testFolder(), "segment");
  writeFileSync(file, stored);
  const segments = bundle.manifest.segments.map((segment, index) =>
    index === 2 ? { ...segment, digest: digestOf(stored), bytes: stored.length } : segment,
  );
  const changed = { ...bundle.manifest, segments };
  const manifest = parseManifest(renderManifest({ ...changed, ...change(changed) }));
  const out = join(testFolder(), "site.tkb");
  const segmentFiles = [...bundle.segments.slice(0, 2), file];
  await writeArchive({ ...bundle, manifest, segments: segmentFiles }, TEST_SLOT, out, UNWATCHED);
  const opened = await openBundle(out);
  await opened.verifyBytes(UNWATCHED);
  return opened;
}

describe("a segment", () => {
  const content = readSource();
  async function readSource(): Promise<Buffer> {
    return Buffer.concat(await (largeContents(10).groups[2]?.[0]?.open().toArray() ?? []));
  }

  it("that unpacks to far more than its blobs is left at once, in little memory", async () => {
    const bomb = zstdCompressSync(Buffer.concat([await content, Buffer.alloc(300_000_000)]));
    expect(bomb.length).toBeLessThan(100_000);
    const bundle = await withSegment(bomb);
    const before = process.memoryUsage.rss();
    expect(await inflated(bundle)).toBe("BUNDLE_INFLATES");
    expect(process.memoryUsage.rss() - before).toBeLessThan(64_000_000);
  });

  it("that has one byte more than its blobs is refused", async () => {
    expect(await inflated(await withSegment(zstdCompressSync(Buffer.concat([await content, Buffer.from("x")]))))).toBe(
      "BUNDLE_INFLATES",
    );
  });

  it("that has a second frame is refused", async () => {
    const twice = Buffer.concat([zstdCompressSync(await content), zstdCompressSync(Buffer.from("more"))]);
    expect(await inflated(await withSegment(twice))).toBe("BUNDLE_INFLATES");
  });

  it("that has fewer bytes than its blobs is refused", async () => {
    expect(await inflated(await withSegment(zstdCompressSync((await content).subarray(1))))).toBe("BUNDLE_DAMAGED");
  });

  it("that ends within its frame is refused", async () => {
    expect(await inflated(await withSegment(zstdCompressSync(await content).subarray(0, -3)))).toBe("BUNDLE_DAMAGED");
  });

  it("that is no zstd frame is refused", async () => {
    expect(await inflated(await withSegment(Buffer.from("no frame")))).toBe("BUNDLE_DAMAGED");
  });

  it("that asks for a window over 128 MiB is refused", async () => {
    const params = { [constants.ZSTD_c_windowLog]: 28, [constants.ZSTD_c_contentSizeFlag]: 0 };
    // It begins with the content that it has to have: with a larger window, it would be what follows that is refused.
    const wide = zstdCompressSync(Buffer.concat([await content, Buffer.alloc(2 ** 28)]), { params });
    expect(await inflating(await withSegment(wide))).toMatchObject({
      code: "BUNDLE_DAMAGED",
      message: expect.stringMatching(/too much memory/),
    });
  });

  it("with other bytes of the right number is refused", async () => {
    expect(await inflated(await withSegment(zstdCompressSync(Buffer.alloc(10))))).toBe("BUNDLE_DAMAGED");
  });
});

describe("reading blobs", () => {
  it("is refused for one that the bundle has not, and ends when it is cancelled", async () => {
    const [file = ""] = await writtenBundle();
    expect(await inflated(await openBundle(file), [digestOf("none")])).toBe("BUNDLE_NO_ENTRY");
    const bundle = await openBundle(file);
    const signal = AbortSignal.abort();
    const [blob] = bundle.manifest.blobs;
    const blobs = bundle.blobs(new Set([blob?.digest ?? ""]), { signal });
    const { value } = await blobs.next();
    expect(await codeOf(value?.content.toArray())).toBe("BUNDLE_CANCELLED");
    expect(await codeOf(blobs.next())).toBe("BUNDLE_CANCELLED");
    expect(await codeOf(bundle.verifyBytes({ ...UNWATCHED, signal }))).toBe("BUNDLE_CANCELLED");
    await bundle.close();
  });

  it("sees what was changed after it was verified", async () => {
    const [file = ""] = await writtenBundle();
    const bundle = await openBundle(file);
    await bundle.verifyBytes(UNWATCHED);
    const bytes = readFileSync(file);
    const at = bytes.indexOf("read me");
    writeFileSync(file, bytes.fill("x", at, at + 1).fill("x", bytes.length - 1500, bytes.length - 1024));
    expect(await codeOf(bundle.plain("READ-ME.txt"))).toBe("BUNDLE_DAMAGED");
    expect(await codeOf(bundle.plain("segments/0001.zst"))).toBe("BUNDLE_NO_ENTRY");
    await bundle.close();
  });
});

describe("parts", () => {
  async function parts(): Promise<{ files: readonly string[]; first: string }> {
    const files = await writtenBundle(largeContents(), 131_072);
    return { files, first: files[0] ?? "" };
  }

  it("are found by the first of them, and by the name of the whole", async () => {
    const { first } = await parts();
    expect(await verified(first)).toBeUndefined();
    expect(await verified(first.slice(0, -4))).toBeUndefined();
  });

  it.each([0, 1, 2, 3])("are refused when part %i is missing", async (index) => {
    const { files, first } = await parts();
    expect(files.length).toBe(4);
    rmSync(files[index] ?? "");
    expect(await verified(first)).toBe("BUNDLE_PART_MISSING");
  });

  it("are refused by another one than the first", async () => {
    const { files } = await parts();
    expect(await verified(files[1] ?? "")).toBe("BUNDLE_PART_MISSING");
  });

  it("are refused in another order, twice, cut, or with one too many", async () => {
    const { files, first } = await parts();
    const [, two = "", three = "", last = ""] = files;
    renameSync(two, `${first}-`);
    renameSync(three, two);
    renameSync(`${first}-`, three);
    expect(await verified(first)).toBe("BUNDLE_DAMAGED");
    copyFileSync(two, three);
    expect(await verified(first)).toBe("BUNDLE_DAMAGED");
    copyFileSync(last, last.replace(/4$/, "5"));
    expect(await verified(first)).toMatch(/^BUNDLE_(TRUNCATED|MALFORMED)$/);
    rmSync(last.replace(/4$/, "5"));
    truncateSync(last, 100);
    expect(await verified(first)).toBe("BUNDLE_TRUNCATED");
    truncateSync(two, 1000);
    expect(await verified(first)).toBe("BUNDLE_TRUNCATED");
    copyFileSync(two, first);
    expect(await verified(first)).toBe("BUNDLE_MALFORMED");
  });
});

describe("what is no bundle", () => {
  it("is told from one that was damaged: another file is to be named", async () => {
    const file = join(testFolder(), "text");
    writeFileSync(file, "text".repeat(100));
    await expect(openBundle(file)).rejects.toMatchObject({
      message: expect.stringContaining("is no bundle"),
      fix: expect.stringMatching(/^name a file that .* wrote, such as site\.tkb/),
    });
  });

  it("is refused: nothing, an empty file, a folder, a pipe, a device, another tar, a gzip", async () => {
    const folder = testFolder();
    const at = (name: string) => join(folder, name);
    writeFileSync(at("empty"), "");
    writeFileSync(at("text"), "text".repeat(100_000));
    execFileSync("mkfifo", [at("pipe")]);
    execFileSync("tar", ["-c", "-f", at("tar"), "-C", folder, "text"]);
    execFileSync("sh", ["-c", 'gzip -c "$1" > "$1.gz"', "sh", at("tar")]);
    expect(await verified(at("none"))).toBe("BUNDLE_NOT_FOUND");
    expect(await verified(at("none.001"))).toBe("BUNDLE_PART_MISSING");
    expect(await verified(folder)).toBe("BUNDLE_NOT_FOUND");
    expect(await verified(at("pipe"))).toBe("BUNDLE_NOT_FOUND");
    expect(await verified("/dev/zero")).toBe("BUNDLE_NOT_FOUND");
    for (const name of ["empty", "text", "tar", "tar.gz"]) expect(await verified(at(name))).toBe("BUNDLE_MALFORMED");
  });

  it.each([MAX_MANIFEST_BYTES + 1, 0o77_777_777_777])(
    "is what says that its manifest has %d bytes, before room is made for them",
    async (size) => {
      const [file = ""] = await writtenBundle();
      const bytes = readFileSync(file);
      const header = await renderHeader({ path: "manifest.json", bytes: size, executable: false });
      bytes.set(header, BLOCK_BYTES + SLOT_BYTES);
      let most = 0;
      const parts = {
        ...{ split: false, files: [file], sizes: [bytes.length], bytes: bytes.length, close: async () => undefined },
        read: async (offset: number, into: Uint8Array) => {
          most = Math.max(most, into.length);
          if (offset + into.length > bytes.length) throw bundleFormatErrors.error("BUNDLE_TRUNCATED", "too early");
          into.set(bytes.subarray(offset, offset + into.length));
        },
      };
      const message = expect.stringContaining("the size of its manifest");
      await expect(bundleIn(parts, file)).rejects.toMatchObject({ code: "BUNDLE_MALFORMED", message });
      expect(most).toBe(SLOT_BYTES);
    },
  );

  it("is a bundle that another tar program wrote anew: the same entries in other headers", async () => {
    const [file = ""] = await writtenBundle();
    const folder = testFolder();
    execFileSync("tar", ["-x", "-C", folder, "-f", file]);
    const names = execFileSync("tar", ["-t", "-f", file], { encoding: "utf8" }).trim().split("\n");
    execFileSync("tar", ["--format=ustar", "-c", "-f", join(folder, "again.tkb"), "-C", folder, ...names]);
    expect(await verified(join(folder, "again.tkb"))).toBe("BUNDLE_MALFORMED");
  });

  it("is refused by what packs it: a blob that is another, two of one name, a path out of it", async () => {
    const contents = testContents();
    const [group = [], ...groups] = contents.groups;
    const [first, ...rest] = group;
    if (first === undefined) throw new Error("no blob");
    const other = blobOf("other bytes");
    const lying = (blob: object) => ({ ...contents, groups: [[{ ...first, ...blob }, ...rest], ...groups] });
    expect(await codeOf(packed(lying({ open: other.open })))).toBe("BUNDLE_SOURCE_CHANGED");
    expect(await codeOf(packed(lying({ bytes: first.bytes + 1 })))).toBe("BUNDLE_SOURCE_CHANGED");
    expect(await codeOf(packed(lying({ digest: other.digest })))).toBe("BUNDLE_SOURCE_CHANGED");
    expect(await codeOf(packed({ ...contents, groups: [...contents.groups, group] }))).toBe("BUNDLE_MALFORMED");
    const files = contents.files.map((each) => ({ ...each, path: `../${each.path}` }));
    expect(await codeOf(packed({ ...contents, files }))).toBe("BUNDLE_MALFORMED");
  });
});
