import { expect, it } from "vitest";
import { nearest } from "./nearest.ts";

it.each([
  ["regionn", "region"],
  ["egnine", "engine"],
  ["TENANT", "tenant"],
  ["dve", "dev"],
])("takes %s for %s", (typed, meant) => {
  expect(nearest(typed, ["region", "engine", "tenant", "dev"])).toBe(meant);
});

it.each(["", "xyz", "completely-different", "x".repeat(10_000)])("does not guess at %.20s", (typed) => {
  expect(nearest(typed, ["region", "engine", "tenant", "dev"])).toBeUndefined();
});

it("has nothing to offer without candidates", () => {
  expect(nearest("region", [])).toBeUndefined();
});
