import { expect, it } from "vitest";
import { blockBytes, parseBlock, renderBlock } from "./block.ts";

it.each([
  [{ number: 0, more: false, exponent: 0 }, ""],
  [{ number: 0, more: true, exponent: 6 }, "0e"],
  [{ number: 15, more: true, exponent: 6 }, "fe"],
  [{ number: 16, more: false, exponent: 6 }, "0106"],
  [{ number: 4096, more: true, exponent: 2 }, "01000a"],
])("renders %j in the fewest bytes and reads it back", (block, hex) => {
  expect(renderBlock(block).toString("hex")).toBe(hex);
  expect(parseBlock(Buffer.from(hex, "hex"))).toEqual(block);
});

it("refuses the reserved size exponent 7", () => {
  expect(parseBlock(Buffer.from([0x0f]))).toBeNull();
});

it("refuses a value of four bytes", () => {
  expect(parseBlock(Buffer.alloc(4))).toBeNull();
});

it("knows that blocks have 16 to 1024 bytes", () => {
  expect([blockBytes(0), blockBytes(6)]).toEqual([16, 1024]);
});
