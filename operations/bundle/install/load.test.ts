import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keptReference } from "../engine/missing.ts";
import { loadMissing, nameImages } from "./load.ts";
import { sha256, TestSite, testBundle } from "./test-site.ts";

let at: TestSite;
beforeEach(() => {
  at = new TestSite();
});
afterEach(() => at.remove());

const bundle = testBundle(1);
const { images } = bundle.manifest;
const own = images.map(({ reference }) => reference);
const kept = images.map((image) => keptReference(image, 1));
const load = (withOwn = true) =>
  loadMissing({
    ...{ bundle, version: 1, own: withOwn, engine: at.engine },
    ...{ signal: new AbortController().signal, onProgress: () => undefined },
  });
const refused = { code: "BUNDLE_IMAGES_REFUSED" };

describe("the images of a version", () => {
  it("are refused where an engine says that it took them, and has others under their names", async () => {
    const other = sha256("another image");
    at.engine.load = async () =>
      at.engine.write({ images: { [other]: [] }, tags: Object.fromEntries(kept.map((name) => [name, other])) });
    await expect(load()).rejects.toMatchObject(refused);
    expect(at.engine.state().tags).not.toHaveProperty([own[0] ?? ""]);
  });

  it("are refused where one of them is not there, and no name is given", async () => {
    const [first, second] = images;
    at.engine.write({ images: { [first?.config ?? ""]: [] } });
    const named = nameImages(at.engine, images, 1, true);
    await expect(named).rejects.toMatchObject({ ...refused, message: expect.stringContaining(second?.config ?? "?") });
    expect(at.engine.state().tags).toEqual({});
  });

  it("take their names from others that have them, and are not sent again for that", async () => {
    await load();
    const other = sha256("another image");
    const { tags, images: there } = at.engine.state();
    at.engine.write({
      images: { ...there, [other]: [] },
      tags: Object.fromEntries(Object.keys(tags).map((name) => [name, other])),
    });
    at.engine.loaded.length = 0;
    await load();
    expect([at.engine.state().tags, at.engine.loaded]).toEqual([tags, []]);
  });

  it("leave their own names to the version that runs until they take its place", async () => {
    const other = sha256("of the version that runs");
    at.engine.write({ images: { [other]: [] }, tags: Object.fromEntries(own.map((name) => [name, other])) });
    await load(false);
    const { tags } = at.engine.state();
    expect(own.map((name) => tags[name])).toEqual(own.map(() => other));
    expect(kept.map((name) => tags[name])).toEqual(images.map(({ config }) => config));
  });
});
