import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { openBundle } from "./read.ts";
import { blobOf, largeContents, removeFolders, UNWATCHED, writtenBundle } from "./test-bundle.ts";

afterEach(removeFolders);

const NEVER = UNWATCHED.signal;

test("reads what was written, and every byte is as the manifest says", async () => {
  const [file = ""] = await writtenBundle();
  const bundle = await openBundle(file);
  expect(bundle.manifest.images.map(({ name }) => name)).toEqual(["broker", "one"]);
  expect(Buffer.from(await bundle.plain("start.sh")).toString()).toBe("#!/bin/sh\nexit 0\n");
  await bundle.verifyBytes(UNWATCHED);
  await bundle.close();
});

test("gives every blob, and the wanted ones alone", async () => {
  const [file = ""] = await writtenBundle();
  const bundle = await openBundle(file);
  const all = bundle.manifest.blobs.map(({ digest }) => digest);
  expect(await contentsOf(bundle.blobs(new Set(all), { signal: NEVER }))).toEqual(all);
  expect(await contentsOf(bundle.blobs(new Set(all.slice(1, 2)), { signal: NEVER }))).toEqual(all.slice(1, 2));
  await bundle.close();
});

test("skips what of a blob was not read", async () => {
  const [file = ""] = await writtenBundle();
  const bundle = await openBundle(file);
  const all = bundle.manifest.blobs.map(({ digest }) => digest);
  const seen: string[] = [];
  for await (const { digest, content } of bundle.blobs(new Set(all), { signal: NEVER })) {
    seen.push(digest);
    if (seen.length === 1) for await (const _ of content) break;
    if (seen.length === 3) expect(blobOf(Buffer.concat(await content.toArray())).digest).toBe(digest);
  }
  expect(seen).toEqual(all);
  await bundle.close();
});

test("reads parts as one, and cat puts them together", async () => {
  const whole = await writtenBundle(largeContents());
  const parts = await writtenBundle(largeContents(), 131_072);
  expect(parts.length).toBeGreaterThan(2);
  expect(Buffer.concat(parts.map((part) => readFileSync(part)))).toEqual(readFileSync(whole[0] ?? ""));
  const bundle = await openBundle(parts[0] ?? "");
  await bundle.verifyBytes(UNWATCHED);
  const all = bundle.manifest.blobs.map(({ digest }) => digest);
  expect(await contentsOf(bundle.blobs(new Set(all), { signal: NEVER }))).toEqual(all);
  await bundle.close();
});

test("is a tar that tar and sha256sum read", async () => {
  const [file = ""] = await writtenBundle();
  const folder = file.replace(/\/site.tkb$/, "");
  execFileSync("tar", ["-x", "-C", folder, "-f", file]);
  execFileSync("sha256sum", ["--strict", "--quiet", "-c", "SHA256SUMS"], { cwd: folder });
});

async function contentsOf(blobs: ReturnType<Awaited<ReturnType<typeof openBundle>>["blobs"]>): Promise<string[]> {
  const digests: string[] = [];
  for await (const { bytes, content } of blobs) {
    const all = Buffer.concat(await content.toArray());
    expect(all.length).toBe(bytes);
    digests.push(blobOf(all).digest);
  }
  return digests;
}
