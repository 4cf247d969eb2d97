import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { LayerEntries } from "./layer.ts";
import { cachedLayer } from "./layers.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-layers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let cacheDir = "";
let made = 0;
beforeEach(() => {
  cacheDir = mkdtempSync(join(folder, "cache-"));
  made = 0;
});

const entries = (content = "x"): (() => Promise<LayerEntries>) => {
  return async () => {
    made += 1;
    return new Map([["f", { kind: "file", content: Buffer.from(content) }]]);
  };
};
const filesOf = (): readonly string[] => readdirSync(join(cacheDir, "images", "layers"));

describe("cachedLayer", () => {
  it("makes a layer of the same inputs once", async () => {
    const first = await cachedLayer(cacheDir, { a: 1, b: 2 }, entries());
    expect(await cachedLayer(cacheDir, { b: 2, a: 1 }, entries())).toEqual(first);
    expect(made).toBe(1);
  });

  it("makes another layer of other inputs", async () => {
    const first = await cachedLayer(cacheDir, { a: 1 }, entries("x"));
    const second = await cachedLayer(cacheDir, { a: 2 }, entries("y"));
    expect(second.diffId).not.toBe(first.diffId);
    expect(made).toBe(2);
  });

  it("makes it anew when that is asked for, and when its bytes are gone", async () => {
    const { file } = await cachedLayer(cacheDir, { a: 1 }, entries());
    await cachedLayer(cacheDir, { a: 1 }, entries(), true);
    rmSync(file);
    await cachedLayer(cacheDir, { a: 1 }, entries());
    expect(made).toBe(3);
  });

  it("leaves nothing of a layer that could not be made", async () => {
    const broken = async (): Promise<LayerEntries> => new Map([["f", { kind: "copy", from: join(folder, "missing") }]]);
    await expect(cachedLayer(cacheDir, { a: 1 }, broken)).rejects.toMatchObject({ code: "IMAGES_CACHE_UNWRITABLE" });
    expect(filesOf()).toEqual([]);
  });

  it("gives two runs at once the same whole layer", async () => {
    const both = await Promise.all([1, 2].map(() => cachedLayer(cacheDir, { a: 1 }, entries())));
    expect(both[0]).toEqual(both[1]);
    expect(filesOf()).toHaveLength(2);
  });

  it("reports a cache that is no folder", async () => {
    const file = join(cacheDir, "file");
    writeFileSync(file, "");
    await expect(cachedLayer(file, { a: 1 }, entries())).rejects.toMatchObject({ code: "IMAGES_CACHE_UNWRITABLE" });
  });
});
