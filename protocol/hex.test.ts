import { expect, it } from "vitest";
import { bytesOfHex, hexOf, isHex } from "./hex.ts";

it("hex comes back as it went", () => expect(hexOf(bytesOfHex("00ff10", 3))).toBe("00ff10"));

it("hex of part of a buffer is that part's", () =>
  expect(hexOf(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toBe("0203"));

it.each(["0", "0F", "0g", " 00", "00\n", "0x00", "000000"])("%j is not one byte in hex", (text) => {
  expect(isHex(text, 1)).toBe(false);
  expect(() => bytesOfHex(text, 1)).toThrow(expect.objectContaining({ code: "PROTOCOL_BAD_HEX" }));
});

it.each([null, 0, ["00"], { length: 2 }])("%j is not hex", (value) => expect(isHex(value, 1)).toBe(false));

it("an error never repeats the text, which may be a key", () => {
  expect(() => bytesOfHex("c0ffee-secret")).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining("c0ffee") }),
  );
});
