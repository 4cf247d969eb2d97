import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import { afterAll, describe, expect, it } from "vitest";
import { describeImage, IDENTITY_LABEL, type ImageParts, imageArchive } from "./archive.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-archive-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const layer = (letter: string): { file: string; diffId: string } => {
  const file = join(folder, letter);
  writeFileSync(file, letter);
  return { file, diffId: `sha256:${letter.repeat(64)}` };
};
const parts: ImageParts = {
  name: "backend",
  reference: "trustkern/backend:1",
  version: "1",
  command: ["/usr/bin/node"],
  layers: [layer("a"), layer("b")],
};

describe("describeImage", () => {
  it("gives the same configuration for the same parts, and another identity for any other", () => {
    const { config, identity } = describeImage(parts);
    expect(describeImage({ ...parts })).toMatchObject({ config, identity });
    const others = [
      { ...parts, layers: parts.layers.toReversed() },
      { ...parts, layers: [layer("a")] },
      { ...parts, command: ["/bin/other"] },
      { ...parts, version: "2" },
    ];
    for (const other of others) expect(describeImage(other).identity).not.toBe(identity);
  });

  it("runs as a user that is not root, and says what it is by its identity", () => {
    const { config, identity } = describeImage(parts);
    expect(JSON.parse(config)).toMatchObject({
      config: { User: "10001:10001", Labels: { [IDENTITY_LABEL]: identity } },
      rootfs: { type: "layers", diff_ids: parts.layers.map(({ diffId }) => diffId) },
    });
  });
});

describe("imageArchive", () => {
  it("holds a shared layer once, and every configuration under its own hash", async () => {
    const one = describeImage(parts);
    const two = describeImage({ ...parts, reference: "trustkern/broker:1", layers: [layer("a"), layer("c")] });
    const files = new Map<string, Buffer>();
    const tar = extract();
    imageArchive([one, two]).pipe(tar as never);
    for await (const entry of tar) files.set(entry.header.name, await buffer(entry));
    expect([...files.keys()].filter((name) => name.endsWith("layer.tar"))).toHaveLength(3);
    const manifest = JSON.parse(String(files.get("manifest.json")));
    expect(manifest.map(({ RepoTags }: { RepoTags: string[] }) => RepoTags)).toEqual([
      [one.reference],
      [two.reference],
    ]);
    for (const { Config, Layers } of manifest) {
      expect(Config).toBe(`${createHash("sha256").update(files.get(Config)!).digest("hex")}.json`);
      for (const name of Layers) expect(files.has(name)).toBe(true);
    }
  });

  it("breaks off when a layer cannot be read", async () => {
    const broken = describeImage({ ...parts, layers: [{ file: join(folder, "gone"), diffId: "sha256:0" }] });
    await expect(buffer(imageArchive([broken]))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
