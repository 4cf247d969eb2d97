import { describe, expect, it } from "vitest";
import { followsFiles, replacementOf, useOf } from "./old-and-new.ts";

const files = (names: Readonly<Record<string, string>>) => (name: string) => names[name];

describe("what is being replaced", () => {
  it("is the one in force while its successor waits, and the one before while that is not taken out", () => {
    expect(replacementOf("root", files({ root: "a", "root.next": "b" }))).toEqual({
      old: "a",
      new: "b",
    });
    expect(replacementOf("root", files({ root: "b", "root.old": "a" }))).toEqual({ old: "a", new: "b" });
  });

  it.each([{ root: "a" }, {}, { gateways: "g", "gateways.next": "h" }])("is nothing with %o", (names) =>
    expect(replacementOf("root", files(names))).toBeUndefined(),
  );
});

describe("who uses which", () => {
  const replacement = { old: "a", new: "b" };
  it.each([
    [["a"], "old"],
    [["b"], "new"],
    [["a", "b"], "both"],
    [["c"], "old"],
    ["none", "none"],
    [undefined, "unknown"],
  ] as const)("with %j is %s", (has, use) => expect(useOf(has, replacement)).toBe(use));
});

describe("who follows its files", () => {
  it.each([
    [["a"], true, "current"],
    [["a", "b"], true, "old"],
    [["a", "b"], false, "current"],
    [["b"], false, "old"],
    ["none", true, "none"],
    [undefined, true, "unknown"],
  ] as const)("with %j, exactly: %s, is %s", (has, exact, use) => {
    expect(followsFiles(has, () => ["a"], exact)).toBe(use);
  });
});
