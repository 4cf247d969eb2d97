import { expect, it } from "vitest";
import { LAYERS, type Layer } from "./checks.ts";
import { type CheckResult, verdictOf } from "./result.ts";

const resultsOf = (outcomes: readonly CheckResult["outcome"][]) =>
  outcomes.map((outcome): CheckResult => ({ id: "model.table", outcome, seen: "", findings: [] }));
const of = (...outcomes: readonly CheckResult["outcome"][]) =>
  verdictOf({ layers: LAYERS, results: resultsOf(outcomes) });

it("needs something that was looked at", () => {
  expect(of()).toBe("not-proven");
});

it("is that of the worst", () => {
  expect(of("proven", "proven")).toBe("proven");
  expect(of("proven", "not-required")).toBe("proven");
  expect(of("proven", "not-proven")).toBe("not-proven");
  expect(of("not-proven", "broken", "proven")).toBe("broken");
});

it.each(LAYERS)("proves nothing without the layer %s, and breaks all the same", (left) => {
  const layers = LAYERS.filter((layer: Layer) => layer !== left);
  expect(verdictOf({ layers, results: resultsOf(["proven"]) })).toBe("not-proven");
  expect(verdictOf({ layers, results: resultsOf(["proven", "broken"]) })).toBe("broken");
});
