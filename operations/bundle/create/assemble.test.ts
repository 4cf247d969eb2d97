import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { describeImage } from "../../images/build/archive.ts";
import { digestOf } from "../format/manifest.ts";
import { assemble, type BundleParts } from "./assemble.ts";
import { bundleLock, imageId, type KindOfLayer, type LayerKind } from "./images.ts";
import { fileOf, layerBlob } from "./source.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-assemble-"));
afterAll(() => rmSync(folder, { recursive: true }));
const deployment = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });

function layer(kind: LayerKind, content: string): KindOfLayer {
  const diffId = digestOf(Buffer.from(content));
  const file = join(folder, diffId.slice(7));
  writeFileSync(file, content);
  return { kind, file, diffId };
}
const base = layer("packages", "base");
const more = layer("packages", "base and more");
const node = layer("node", "node");
const services = ["s1", "s22"].map((content) => layer("service", content));
const tools = layer("tools", "a program");

function image(name: string, ...layers: readonly KindOfLayer[]) {
  return describeImage({ name, reference: `trustkern/${name}:1`, version: "1", command: ["/a"], layers });
}
const images = [
  image("one", base, node, services[0]!),
  image("two", more, node, services[1]!),
  image("three", base, tools),
];
const program = fileOf("toolkit/cli.mjs", "same");
const parts: BundleParts = {
  deployment,
  version: "1",
  images: { images, layers: [base, node, ...services, more, tools] },
  files: [fileOf("docs/b.md", "b"), fileOf("docs/a.md", "a"), fileOf("deployment/x", "same")],
  toolkit: {
    ...{ platform: "linux-x64", plain: [], files: [program] },
    first: [program.source, layerBlob(node), layerBlob(base)],
  },
};
const digests = (contents: ReturnType<typeof assemble>): readonly (readonly string[])[] =>
  contents.groups.map((group) => group.map(({ digest }) => digest));

describe("assemble", () => {
  it("has every blob that a file or an image names, once, whatever shares it", () => {
    const contents = assemble(parts);
    const all = digests(contents).flat();
    expect(new Set(all).size).toBe(all.length);
    const named = [
      ...contents.files.map(({ digest }) => digest),
      ...contents.images.flatMap((i) => [i.config, ...i.layers]),
    ];
    expect(new Set(all)).toEqual(new Set(named));
  });

  it("begins with what the start script counts, in its order, and puts what shares its base behind it", () => {
    const [first, small, programs] = digests(assemble(parts));
    expect(first?.slice(0, 3)).toEqual([digestOf(Buffer.from("same")), node.diffId, base.diffId]);
    expect(first?.slice(3)).toEqual([more.diffId, ...services.map(({ diffId }) => diffId)]);
    expect(small).toContain(imageId(images[0]!));
    expect(programs).toEqual([tools.diffId]);
  });

  it("names an image by the digest of its configuration, as the lock does", async () => {
    const contents = assemble(parts);
    const lock = bundleLock(images);
    expect(lock.source).toBe("bundle");
    for (const { name, config, reference } of contents.images)
      expect(lock.images[name]).toEqual({ reference, digest: config });
    const blobs = new Map(contents.groups.flat().map((blob) => [blob.digest, blob]));
    const bytes = await blobs.get(imageId(images[0]!))?.open().toArray();
    expect(Buffer.concat(bytes ?? []).toString()).toBe(images[0]?.config);
  });

  it("gives the same order, whatever order things come in", () => {
    const [expected, shuffle] = [
      digests(assemble(parts)),
      <T>(of: readonly T[]) => fc.shuffledSubarray([...of], { minLength: of.length }),
    ];
    fc.assert(
      fc.property(shuffle(parts.files), shuffle(parts.images.layers), shuffle(images), (files, layers, imagesNow) => {
        expect(digests(assemble({ ...parts, files, images: { images: imagesNow, layers } }))).toEqual(expected);
      }),
    );
  });

  it("has no segment of nothing", () => {
    const alone = assemble({ ...parts, images: { images: [], layers: [] }, files: [] });
    expect(digests(alone)).toHaveLength(1);
  });
});
