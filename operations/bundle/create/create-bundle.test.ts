import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { digestOf } from "../format/manifest.ts";
import { openBundle } from "../format/read.ts";
import { largeContents, removeFolders, TEST_SLOT, testContents, testFolder, UNWATCHED } from "../format/test-bundle.ts";
import type { BlobSource } from "../format/write.ts";
import { type WriteBundle, writeBundle } from "./create-bundle.ts";

afterEach(removeFolders);

/** A request in a folder of its own, where `out/` and `cache/` are all that may be written. */
function requested(change: Partial<WriteBundle<object>> = {}) {
  const folder = testFolder();
  mkdirSync(join(folder, "out"));
  const request: WriteBundle<object> = {
    contents: testContents(),
    out: join(folder, "out", "site.tkb"),
    splitBytes: undefined,
    scratch: join(folder, "cache"),
    sign: async () => ({ slot: TEST_SLOT }),
    view: { begin: () => undefined, onBytes: () => undefined },
    signal: UNWATCHED.signal,
    ...change,
  };
  const left = () => [...readdirSync(join(folder, "out")), ...readdirSync(request.scratch)];
  return { request, left, folder };
}

describe("writeBundle", () => {
  it("has signed just what it writes, and leaves nothing but the bundle", async () => {
    let signed = "";
    const { request, left } = requested({
      sign: async ({ manifestBytes, sums }) => {
        signed = digestOf(manifestBytes) + digestOf(sums);
        return { slot: TEST_SLOT };
      },
    });
    const { files, bytes } = await writeBundle(request);
    const bundle = await openBundle(request.out);
    expect(digestOf(bundle.manifestBytes) + digestOf(Buffer.from(bundle.sums))).toBe(signed);
    expect([files, bytes]).toEqual([[request.out], bundle.bytes]);
    await bundle.close();
    expect(left()).toEqual(["site.tkb"]);
  });

  it("gives the same bytes twice", async () => {
    const both = [requested().request, requested().request];
    for (const request of both) await writeBundle(request);
    const [one, two] = both.map(({ out }) => digestOf(readFileSync(out)));
    expect(one).toBe(two);
  });

  it("writes parts that are the bundle together", async () => {
    const whole = requested({ contents: largeContents() });
    await writeBundle(whole.request);
    const split = requested({ contents: largeContents(), splitBytes: 131_072 });
    const { files } = await writeBundle(split.request);
    expect(files.length).toBeGreaterThan(2);
    const together = Buffer.concat(files.map((file) => readFileSync(file)));
    expect(digestOf(together)).toBe(digestOf(readFileSync(whole.request.out)));
  });

  it("says each step, and how far it is to the end", async () => {
    const seen: string[] = [];
    let last = { bytes: 0, of: 1 };
    const { request } = requested({
      view: {
        begin: (what) => seen.push(what),
        onBytes: (done) => {
          last = done;
        },
      },
    });
    await writeBundle(request);
    expect(seen).toEqual(["compressing", "writing"]);
    expect(last.bytes).toBe(last.of);
  });

  it.each<[string, Partial<WriteBundle<object>>, string | undefined]>([
    ["a signer that fails", { sign: () => Promise.reject(new Error("no token")) }, undefined],
    ["parts that are too small", { splitBytes: 1024 }, "BUNDLE_SPLIT_RANGE"],
    ["a cancelled work", { signal: AbortSignal.abort() }, "BUNDLE_CANCELLED"],
    [
      "a layer that is another by now",
      { contents: { ...testContents(), groups: testContents().groups.map((group) => group.map(changed)) } },
      "BUNDLE_SOURCE_CHANGED",
    ],
  ])("leaves nothing of %s", async (_, change, code) => {
    const { request, left } = requested(change);
    await expect(writeBundle(request)).rejects.toMatchObject(code === undefined ? { message: "no token" } : { code });
    expect(left()).toEqual([]);
  });

  it("leaves nothing when it is cancelled on the way, at any step", async () => {
    for (const step of ["compressing", "writing"]) {
      const cancel = new AbortController();
      const { request, left } = requested({
        contents: largeContents(4_000_000),
        signal: cancel.signal,
        view: { begin: (what) => what === step && cancel.abort(), onBytes: () => undefined },
      });
      await expect(writeBundle(request)).rejects.toMatchObject({ code: "BUNDLE_CANCELLED" });
      expect(left()).toEqual([]);
    }
  });

  it("writes over nothing", async () => {
    const { request, left } = requested();
    writeFileSync(request.out, "before");
    await expect(writeBundle(request)).rejects.toMatchObject({ code: "BUNDLE_OUTPUT_THERE" });
    expect(left()).toEqual(["site.tkb"]);
    expect(readFileSync(request.out, "utf8")).toBe("before");
  });

  it("reports a scratch folder that cannot be made", async () => {
    const { request, folder } = requested();
    writeFileSync(join(folder, "cache"), "a file");
    await expect(writeBundle(request)).rejects.toMatchObject({ code: "BUNDLE_NOT_WRITABLE" });
    expect(existsSync(request.out)).toBe(false);
  });

  it("removes what a process left that was killed, and nothing of one that runs", async () => {
    const { request, left } = requested();
    const { pid: gone } = spawnSync("true");
    for (const pid of [gone, process.pid]) mkdirSync(join(request.scratch, `segments-${pid}-abc`), { recursive: true });
    await writeBundle(request);
    expect(left()).toEqual(["site.tkb", `segments-${process.pid}-abc`]);
  });
});

/** The same blob, of which other bytes are read than when its digest was taken. */
function changed(blob: BlobSource): BlobSource {
  return { ...blob, open: () => Readable.from([Buffer.alloc(blob.bytes)]) };
}
