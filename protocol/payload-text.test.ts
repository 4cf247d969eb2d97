import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findTextFault, PAYLOAD_MAX_DEPTH } from "./payload-text.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

/** What the rule says, over the value that was parsed. */
function walk(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") {
    if (value.includes("\0")) return "holds U+0000";
    return value.isWellFormed() ? undefined : "holds a lone surrogate";
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > PAYLOAD_MAX_DEPTH) return `nested deeper than ${PAYLOAD_MAX_DEPTH}`;
  for (const item of Object.entries(value).flat()) {
    const fault = walk(item, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

describe("JSON text", () => {
  it.each([1, 7, 8])("may be nested %i deep", (depth) => expect(findTextFault(nested(depth))).toBeUndefined());

  it.each([9, 10, 1500])("must not be nested %i deep", (depth) => {
    expect(findTextFault(nested(depth))).toBe("nested deeper than 8");
    expect(findTextFault(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)).toBe("nested deeper than 8");
  });

  it("is not nested by brackets in its strings", () => {
    expect(
      findTextFault(JSON.stringify(["[[[[[[[[[[", '"[[[[[[[[[[', "\\", '\\"[[[[[[[[[[', { "{{{{{{{{{{": 1 }])),
    ).toBeUndefined();
  });

  it.each([
    String.raw`"\u0041"`,
    String.raw`"\\u0000"`,
    String.raw`"\\\\ud800"`,
    String.raw`"\ud83d\ude00"`,
    String.raw`"\uD83D\uDE00\ud83d\ude00"`,
    String.raw`"\u0041\ud83d\ude00\u0041"`,
    '"😀"',
  ])("may hold %s", (text) => expect(findTextFault(text)).toBeUndefined());

  it.each([
    String.raw`"\u0000"`,
    String.raw`"\\\u0000"`,
    String.raw`{"\u0000":1}`,
    String.raw`{"fw":"\u0000","fw":"0.2.1"}`,
  ])("must not hold U+0000: %s", (text) => expect(findTextFault(text)).toBe("holds U+0000"));

  it.each([
    String.raw`"\ud800"`,
    String.raw`"\udc00"`,
    String.raw`"\ud83d \ude00"`,
    String.raw`"\ud83d\n\ude00"`,
    String.raw`"\ude00\ud83d"`,
    String.raw`"\ud83d\ud83d\ude00"`,
    String.raw`"\ud83d\ude00\ude00"`,
    String.raw`"\ud83d\u0041"`,
    String.raw`["\ud83d","\ude00"]`,
    String.raw`{"\ud800":1}`,
    String.raw`{"a":"\ud800","a":1}`,
  ])("must not hold a lone surrogate: %s", (text) => expect(findTextFault(text)).toBe("holds a lone surrogate"));

  it("is judged as the parsed value would be", () => {
    const unit = fc.constantFrom("\0", "\ud83d", "\ude00", "\ud800", "a", "\\", '"', "[", "{", "u", "é", "\n");
    const text = fc.array(unit, { maxLength: 8 }).map((units) => units.join(""));
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 10, depthIdentifier: "json" }, text, tie("list"), tie("map")),
      list: fc.array(tie("any"), { maxLength: 3, depthIdentifier: "json" }),
      map: fc.dictionary(text, tie("any"), { maxKeys: 3, depthIdentifier: "json" }),
    })).any;
    fc.assert(
      fc.property(value, (any) => {
        const json = JSON.stringify(any);
        expect(findTextFault(json) === undefined).toBe(walk(JSON.parse(json), 1) === undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
