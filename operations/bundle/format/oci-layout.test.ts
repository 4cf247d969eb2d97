import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { digestOf } from "./manifest.ts";
import { writeOciLayout } from "./oci-layout.ts";
import { openBundle } from "./read.ts";
import { removeFolders, testContents, testFolder, UNWATCHED, writtenBundle } from "./test-bundle.ts";

afterEach(removeFolders);

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function layoutOf(contents = testContents()): Promise<{ folder: string; digests: Map<string, string> }> {
  const bundle = await openBundle((await writtenBundle(contents))[0] ?? "");
  const folder = join(testFolder(), "layout");
  try {
    return { folder, digests: await writeOciLayout(bundle, folder, UNWATCHED) };
  } finally {
    await bundle.close();
  }
}

/** The bytes of a descriptor, which have to be of its size and digest. */
function blob(folder: string, { digest, size }: Descriptor): Buffer {
  const bytes = readFileSync(join(folder, "blobs", digest.replace(":", "/")));
  expect([bytes.length, digestOf(bytes)]).toEqual([size, digest]);
  return bytes;
}

test("is a layout whose descriptors lead to every blob once, and to nothing else", async () => {
  const { folder, digests } = await layoutOf();
  expect(JSON.parse(readFileSync(join(folder, "oci-layout"), "utf8"))).toEqual({ imageLayoutVersion: "1.0.0" });
  const { manifests, schemaVersion } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  expect(schemaVersion).toBe(2);
  const reached = new Set<string>();
  for (const descriptor of manifests as Descriptor[]) {
    const manifest = JSON.parse(blob(folder, descriptor).toString());
    for (const each of [descriptor, manifest.config, ...manifest.layers] as Descriptor[]) {
      blob(folder, each);
      reached.add(each.digest.replace("sha256:", ""));
    }
    expect(digests.get(descriptor.annotations?.["org.opencontainers.image.ref.name"] ?? "")).toBe(descriptor.digest);
  }
  expect([...reached].sort()).toEqual(readdirSync(join(folder, "blobs", "sha256")).sort());
});

test("is not written over what is there", async () => {
  const bundle = await openBundle((await writtenBundle())[0] ?? "");
  await expect(writeOciLayout(bundle, testFolder(), UNWATCHED)).rejects.toMatchObject({ code: "BUNDLE_OUTPUT_THERE" });
  await bundle.close();
});

test("leaves nothing when it is cancelled, or when a layer is in the base of a delta", async () => {
  const bundle = await openBundle((await writtenBundle())[0] ?? "");
  const folder = join(testFolder(), "layout");
  const cancelled = { ...UNWATCHED, signal: AbortSignal.abort() };
  await expect(writeOciLayout(bundle, folder, cancelled)).rejects.toMatchObject({ code: "BUNDLE_CANCELLED" });
  expect(existsSync(folder)).toBe(false);
  await bundle.close();
  const contents = testContents();
  const [, ...groups] = contents.groups;
  const delta = { ...contents, base: digestOf("the base"), groups };
  await expect(layoutOf(delta)).rejects.toMatchObject({ code: "BUNDLE_NO_ENTRY" });
});
