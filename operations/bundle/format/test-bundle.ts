import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { digestOf } from "./manifest.ts";
import { SLOT_BYTES } from "./slot.ts";
import type { Watched } from "./watched.ts";
import { type BlobSource, type BundleContents, type PackedBundle, packBundle, writeArchive } from "./write.ts";

/** For tests: nobody cancels, and nobody watches. */
export const UNWATCHED: Watched = { signal: new AbortController().signal, onProgress: () => undefined };

/** For tests: a slot that nobody has signed. */
export const TEST_SLOT: Uint8Array = Buffer.from(`${" ".repeat(SLOT_BYTES - 1)}
`);

/** For tests: the code of the error that some work ends with; undefined where it is done. */
export function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (thrown) => thrown.code,
  );
}

/** For tests: bytes as a blob. */
export function blobOf(content: string | Uint8Array): BlobSource {
  const bytes = Buffer.from(content);
  return { digest: digestOf(bytes), bytes: bytes.length, open: () => Readable.from([bytes]) };
}

/** For tests: contents with two segments, two images that share a layer, files and plain files. */
export function testContents(note = "a"): BundleContents {
  const [base, one, two] = [`base ${"layer ".repeat(3000)}`, `one ${note}`, "two"].map(blobOf);
  const [config1, config2, text, script] = [
    '{"os":"linux"}',
    '{"os":"linux","x":2}',
    `text ${note}`,
    "#!/bin/sh\n",
  ].map(blobOf);
  if (!base || !one || !two || !config1 || !config2 || !text || !script) throw new Error("a blob is missing");
  const layers = (own: BlobSource): string[] => [base.digest, own.digest];
  return {
    ...{ tenant: "demo", deployment: "site", profile: "air-gapped" },
    toolkit: { version: "0.1.0", platform: "linux-x64" },
    files: [
      { path: "toolkit/run", digest: script.digest, executable: true },
      { path: "docs/read-me.md", digest: text.digest, executable: false },
    ],
    images: [
      { name: "one", reference: "trustkern/one:0.1.0", config: config1.digest, layers: layers(one) },
      { name: "broker", reference: "trustkern/broker:0.1.0", config: config2.digest, layers: layers(two) },
    ],
    plain: [
      { path: "start.sh", executable: true, content: Buffer.from("#!/bin/sh\nexit 0\n") },
      { path: "READ-ME.txt", executable: false, content: Buffer.from(`read me ${note}\n`) },
    ],
    groups: [
      [base, one, two],
      [config1, config2, text, script],
    ],
  };
}

/** For tests: {@link testContents} with one more layer, of bytes that no compression makes fewer. */
export function largeContents(bytes = 400_000): BundleContents {
  const contents = testContents();
  const layer = blobOf(createHash("shake256", { outputLength: bytes }).update("layer").digest());
  const images = contents.images.map((image) => ({ ...image, layers: [...image.layers, layer.digest] }));
  return { ...contents, images, groups: [...contents.groups, [layer]] };
}

/** For tests: a folder that is removed by {@link removeFolders}. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tk-bundle-"));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

/** For tests: call it after each. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** For tests: packs into a folder of its own. */
export function packed(contents: BundleContents = testContents()): Promise<PackedBundle> {
  return packBundle(contents, { ...UNWATCHED, scratchDir: testFolder() });
}

/** For tests: a bundle in a folder of its own. */
export async function writtenBundle(contents?: BundleContents, splitBytes?: number): Promise<readonly string[]> {
  const out = join(testFolder(), "site.tkb");
  return writeArchive(await packed(contents), TEST_SLOT, out, { ...UNWATCHED, ...(splitBytes && { splitBytes }) });
}
