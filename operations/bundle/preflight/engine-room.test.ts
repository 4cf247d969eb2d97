import { describe, expect, it } from "vitest";
import { testBundle } from "../install/test-site.ts";
import { engineRoom, judgeEngineRoom } from "./engine-room.ts";

const { manifest } = testBundle(1);
const [broker, gateway] = manifest.images;
const sizeOf = (layers: readonly string[]) =>
  manifest.blobs.filter(({ digest }) => layers.includes(digest)).reduce((sum, { bytes }) => sum + bytes, 0);
const all = sizeOf(manifest.images.flatMap(({ layers }) => layers));
const withImages = (...images: (typeof broker)[]) => ({
  images: new Map(images.flatMap((image) => (image ? [[image.config, image.layers] as const] : []))),
  tags: new Map<string, string>(),
});

describe("room on the engine's disk", () => {
  it("is asked for each layer twice that the engine lacks, and once though two images have it", () => {
    expect(engineRoom(manifest, withImages())).toBe(2 * all);
    expect(engineRoom(manifest, withImages(broker))).toBe(2 * sizeOf(gateway?.layers.slice(1) ?? []));
    expect(engineRoom(manifest, withImages(broker, gateway))).toBe(0);
  });

  const disk = { folder: "/engine", freeBytes: 1000, siteBytes: 0 };

  it("is missing by one byte, with the site's where that lies on the same file system", () => {
    expect(judgeEngineRoom(1000, disk)).toEqual([]);
    expect(judgeEngineRoom(1001, disk)).toMatchObject([
      {
        code: "BUNDLE_NO_ROOM",
        path: "/engine",
        message: expect.stringContaining("has 1000 bytes free, and it takes 1001"),
      },
    ]);
    expect(judgeEngineRoom(1000, { ...disk, siteBytes: 1 })).toMatchObject([
      { message: expect.stringContaining("which lies there, too") },
    ]);
  });

  it("is not missing where nothing is loaded, nor where nobody knows", () => {
    expect(judgeEngineRoom(0, { ...disk, freeBytes: 0, siteBytes: 5 })).toEqual([]);
    expect(judgeEngineRoom(2000, { ...disk, freeBytes: undefined })).toEqual([]);
  });
});
