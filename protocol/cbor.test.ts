import { decode } from "cborg";
import { describe, expect, it } from "vitest";
import { decodeCbor, encodeCbor, STRICT } from "./cbor.ts";

const hex = (text: string) => Buffer.from(text, "hex");

describe("core deterministic encoding (RFC 8949, 4.2.1)", () => {
  it("sorts a map's keys by their bytes", () => {
    const map = new Map<unknown, number>([
      ["a", 0],
      [100, 0],
      [-1, 0],
      [10, 0],
      ["z", 0],
      ["aa", 0],
    ]);
    expect(Buffer.from(encodeCbor(map)).toString("hex")).toBe("a60a001864002000616100617a0062616100");
  });

  it.each([
    "00",
    "1b001fffffffffffff",
    "1bffffffffffffffff",
    "3903e7",
    "f93e00",
    "fa47c35040",
    "fb3ff199999999999a",
    "a201000200",
    "82f4f6",
    "656162c3a963",
  ])("%s is taken", (text) => expect(Buffer.from(encodeCbor(decodeCbor(hex(text)))).toString("hex")).toBe(text));

  it.each([
    ["a longer integer", "1800"],
    ["a longer length", "580100"],
    ["a length without an end", "9f00ff"],
    ["text in chunks", "7f6161ff"],
    ["a key twice", "a201000100"],
    ["a tag", "c000"],
    ["undefined", "f7"],
    ["NaN", "f97e00"],
    ["infinity", "f97c00"],
    ["another simple value", "e0"],
    ["a cut item", "82"],
    ["bytes behind", "0000"],
    ["nothing", ""],
  ])("cborg's strict mode refuses %s", (_, text) => expect(() => decode(hex(text), STRICT)).toThrow());

  it.each([
    ["keys out of order", "a202000100"],
    ["a float wider than it needs", "fb3ff8000000000000"],
    ["an integer as a float", "f93c00"],
    ["text that is no UTF-8", "61ff"],
  ])("cborg's strict mode takes %s, and the second encoding refuses it", (_, text) => {
    expect(() => decode(hex(text), STRICT)).not.toThrow();
    expect(() => decodeCbor(hex(text))).toThrow();
  });
});
