import fc from "fast-check";
import { expect, it } from "vitest";
import { differences } from "./differences.ts";

it.each<[unknown, unknown, readonly string[]]>([
  [{ a: { b: 1 } }, { a: { b: 2 } }, ["a.b"]],
  [{ a: 1 }, {}, ["a"]],
  [{}, { a: 1 }, ["a"]],
  [{ a: [1, 2] }, { a: [1, 3, 4] }, ["a.1", "a.2"]],
  [{ a: [] }, { a: {} }, ["a"]],
  [{ a: null }, { a: {} }, ["a"]],
  [{ a: undefined }, {}, ["a"]],
])("%j and %j differ at %j", (a, b, paths) => {
  expect(differences(a, b)).toEqual(paths);
});

it("finds none in a copy, and finds one where the JSON differs", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
      expect(differences(a, structuredClone(a))).toEqual([]);
      const same = JSON.stringify(a) === JSON.stringify(b);
      if (differences(a, b).length === 0) expect(JSON.parse(JSON.stringify(a))).toEqual(JSON.parse(JSON.stringify(b)));
      else expect(same).toBe(false);
    }),
  );
});
