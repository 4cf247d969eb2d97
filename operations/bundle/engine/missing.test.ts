import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BundleImage, keptReference, layersToSend, missingImages } from "./missing.ts";

const image = (name: string, layers: readonly string[]): BundleImage => ({
  ...{ name, reference: `trustkern/${name}:1.0.0`, config: `config of ${name} ${layers.join()}` },
  layers: [...layers],
});
const has = (...images: readonly BundleImage[]) => ({
  images: new Map(images.map(({ config, layers }) => [config, layers])),
  tags: new Map(
    images.flatMap((one) => [one.reference, keptReference(one, 1)].map((name) => [name, one.config] as const)),
  ),
});
const layers = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 4 });

describe("layers to send", () => {
  it("are none that an image has from the lowest up", () => {
    expect([...layersToSend([image("x", ["a", "b", "c"])], has(image("y", ["a", "b", "d"])))]).toEqual(["c"]);
  });

  it("are also those that an engine has above other layers, where it does not find them", () => {
    expect([...layersToSend([image("x", ["b", "c"])], has(image("y", ["a", "b", "c"])))]).toEqual(["b", "c"]);
  });

  it("are none of an image that is there", () => {
    expect(layersToSend([image("x", ["a"])], has(image("x", ["a"]))).size).toBe(0);
  });

  it("let an engine put every image together that builds from the lowest layer up", () => {
    fc.assert(
      fc.property(fc.array(layers, { maxLength: 4 }), fc.array(layers, { maxLength: 4 }), (there, wanted) => {
        const engine = has(...there.map((own, index) => image(`y${index}`, own)));
        const images = wanted.map((own, index) => image(`x${index}`, own));
        const sent = layersToSend(images, engine);
        const chains = new Set(there.flatMap((own) => own.map((_, index) => own.slice(0, index + 1).join())));
        for (const one of images)
          for (const [index, layer] of one.layers.entries())
            expect(chains.has(one.layers.slice(0, index + 1).join()) || sent.has(layer)).toBe(true);
      }),
    );
  });
});

describe("missing images", () => {
  const wanted = [image("x", ["a"]), image("y", ["a", "b"])];

  it("are none where all are there under both names", () => {
    expect(missingImages(wanted, 1, has(...wanted))).toEqual([]);
  });

  it.each([
    ["one is not there", has(image("x", ["a"])), ["y"]],
    ["another has the name", has(image("x", ["z"]), image("y", ["a", "b"])), ["x"]],
    ["another version's is kept alone", { ...has(...wanted), tags: new Map() }, ["x", "y"]],
  ])("are named when %s", (_, engine, names) => {
    expect(missingImages(wanted, 1, engine).map(({ name }) => name)).toEqual(names);
  });

  it("are named when only the name of another version is there", () => {
    expect(missingImages(wanted, 2, has(...wanted))).toHaveLength(2);
  });
});
