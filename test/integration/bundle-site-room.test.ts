import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { manifestDigest } from "../../operations/bundle/format/manifest.ts";
import { type Bundle, openBundle } from "../../operations/bundle/format/read.ts";
import { TEST_SLOT, UNWATCHED } from "../../operations/bundle/format/test-bundle.ts";
import { packBundle, writeArchive } from "../../operations/bundle/format/write.ts";
import { siteErrors } from "../../operations/bundle/install/errors.ts";
import { siteOf, versionDir } from "../../operations/bundle/install/site.ts";
import { TestSite } from "../../operations/bundle/install/test-site.ts";
import { judgeRoom, roomFor, runtimeIn } from "../../operations/bundle/preflight/room.ts";
import { blobOfBytes } from "../../operations/bundle/toolkit/blobs.ts";
import { renderRuntime } from "../../operations/bundle/toolkit/layout.ts";
import { take } from "../../operations/bundle/toolkit/test-toolkit.ts";
import { writeLayer } from "../../operations/images/build/layer.ts";
import { runProgram } from "../support/run.ts";

/**
 * An eighth of a bundle of `examples/air-gapped` (198 MB), by what is of weight: Node.js (150 MB, of which 42 are left when it is packed),
 * programs that are packed (48), modules (14, and 4), other layers of images (102 when packed). `air-gapped.test.ts` measures a real one.
 */
const MB = 125_000;
const noise = (megabytes: number, seed: string): Buffer =>
  createHash("shake256", { outputLength: megabytes * MB })
    .update(seed)
    .digest();
const likeCode = (megabytes: number, packed: number, seed: string): Buffer =>
  Buffer.concat([noise(packed, seed), Buffer.alloc((megabytes - packed) * MB)]);

const folder = mkdtempSync(join(tmpdir(), "tk-site-room-"));
const disk = join(folder, "disk");
const bundles: Bundle[] = [];

/** A bundle that has nothing in common with those of other versions. */
async function bundleOf(version: number): Promise<Bundle> {
  const node = likeCode(150, 42, `node ${version}`);
  const layerFile = join(folder, `layer-${version}.tar`);
  const layer = await writeLayer(new Map([["usr/bin/node", { kind: "file", content: node }]]), layerFile);
  const taken = { ...take("usr/bin/node", "runtime/node", "", true), ...blobOfBytes(node) };
  const { digest, bytes, from, to, executable } = taken;
  const files = [
    ["toolkit/runtime.json", renderRuntime([{ digest: layer, take: [{ from, to, digest, bytes, executable }] }])],
    ["toolkit/bin/trustkern", Buffer.from(`#!/bin/sh\necho ${version}\n`)],
    ["toolkit/bin/tofu.zst", noise(48, `programs ${version}`)],
    ["toolkit/lib/modules.mjs", likeCode(14, 4, `modules ${version}`)],
  ].map(([path, content]) => ({
    path: String(path),
    executable: false,
    source: blobOfBytes(Buffer.from(content ?? "")),
  }));
  const other = blobOfBytes(noise(102, `images ${version}`));
  const base = { digest: layer, bytes: statSync(layerFile).size, open: () => createReadStream(layerFile) };
  const layers = [base.digest, other.digest];
  const config = blobOfBytes(Buffer.from(JSON.stringify({ version, rootfs: { type: "layers", diff_ids: layers } })));
  const contents = {
    ...{ tenant: "acme", deployment: "site", profile: "air-gapped" as const },
    toolkit: { version: "1.0.0", platform: "linux-x64" as const },
    files: files.map(({ path, executable, source }) => ({ path, executable, digest: source.digest })),
    images: [{ name: "broker", reference: "trustkern/broker:1.0.0", config: config.digest, layers }],
    plain: [],
    groups: [[...files.map(({ source }) => source), base, other, config]],
  };
  const scratchDir = join(folder, `scratch-${version}`);
  mkdirSync(scratchDir);
  const packed = await packBundle(contents, { ...UNWATCHED, scratchDir });
  const [file = ""] = await writeArchive(packed, TEST_SLOT, join(folder, `${version}.tkb`), UNWATCHED);
  return openBundle(file);
}

beforeAll(async () => {
  for (const version of [1, 2]) bundles.push(await bundleOf(version));
});
afterEach(() => runProgram("umount", [disk]));
afterAll(async () => {
  for (const bundle of bundles) await bundle.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Has a site on a file system with just so many bytes. */
async function onDisk(bytes: number): Promise<void> {
  mkdirSync(disk, { recursive: true });
  const size = `size=${Math.floor(bytes / 4096) * 4096}`;
  const { code, stderr } = await runProgram("mount", ["-t", "tmpfs", "-o", size, "tmpfs", disk]);
  if (code !== 0) throw new Error(stderr);
}

const used = (): number => {
  const { blocks, bfree, bsize } = statfsSync(disk);
  return (blocks - bfree) * bsize;
};
const bytesOf = (version: number): number => bundles[version - 1]?.bytes ?? 0;

/** Brings a bundle to a site on the disk, after the part of preflight that looks at the disk. */
async function bring(version: number, ownToolkit?: string, site = siteOf(join(disk, "site"))) {
  const bundle = bundles[version - 1];
  if (bundle === undefined) throw new Error(`no bundle ${version}`);
  const { manifest } = bundle;
  const trusted = {
    ...{ version, manifest: manifestDigest(manifest) },
    ...{ assertStill: () => undefined, record: () => undefined },
  };
  const engine = new TestSite(mkdtempSync(join(folder, "engine-")));
  const runtime = await runtimeIn(bundle, new AbortController().signal);
  return engine.bring("install", Object.assign(Object.create(bundle), { version, trusted, read: [] }), {
    ...{ site, ownToolkit, trusted },
    toolkit: { deploy: async () => undefined, isWell: async () => true },
    preflight: async (plan) => {
      const { bavail, bsize } = statfsSync(disk);
      const [finding] = judgeRoom(roomFor(plan, site, manifest, runtime, ownToolkit), bavail * bsize, site.dir);
      if (finding !== undefined) throw siteErrors.error("BUNDLE_PREFLIGHT", finding.message);
    },
  });
}

describe("an install on a disk with 1.2 times the bundle", () => {
  it("has room at every moment, and so has another version beside it, each by its own bundle", async () => {
    await onDisk(1.2 * bytesOf(1));
    expect(await bring(1)).toMatchObject({ version: 1, planned: false });
    expect(used()).toBeGreaterThan(bytesOf(1));
    await runProgram("mount", ["-o", `remount,size=${Math.floor(1.2 * (bytesOf(1) + bytesOf(2)))}`, disk]);
    // Another site on the same disk: nothing is linked, since nothing is the same.
    expect(await bring(2, undefined, siteOf(join(disk, "other")))).toMatchObject({ version: 2 });
  });

  it("has room beside the toolkit that was unpacked there, which is linked", async () => {
    await onDisk(1.2 * bytesOf(1));
    const first = siteOf(join(disk, "first"));
    await bring(1, undefined, first);
    const before = used();
    await bring(1, join(versionDir(first, 1), "toolkit"));
    expect(used() - before).toBeLessThan(0.02 * bytesOf(1));
  });

  it("is refused with less than it takes, says how much, and leaves nothing", async () => {
    await onDisk(1.05 * bytesOf(1));
    const refused = await bring(1).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({
      code: "BUNDLE_PREFLIGHT",
      message: expect.stringMatching(/the file system of ".*site" has \d+ bytes free, and it takes \d+/),
    });
    const site = siteOf(join(disk, "site"));
    expect([readdirSync(site.dir), readdirSync(site.stagingDir), existsSync(site.versionsDir)]).toEqual([
      ...[["staging"], [], false],
    ]);
  });
});
