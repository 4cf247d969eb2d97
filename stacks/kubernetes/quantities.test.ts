import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cores, mebibytes, quantityOf } from "./quantities.ts";

describe("a quantity", () => {
  it.each([
    ["500m", 0.5],
    ["2", 2],
    ["1.5Gi", 1.5 * 2 ** 30],
    ["128Mi", 2 ** 27],
    ["100G", 1e11],
    ["1e3", 1_000],
    ["0", 0],
  ])("%s is %d", (text, amount) => {
    expect(quantityOf(text)).toBeCloseTo(amount, 6);
  });

  it.each(["", "Mi", "5 Gi", "5gi", "-1", "0x10"])("%j is none", (text) => {
    expect(quantityOf(text)).toBeNaN();
  });

  it("is read back as it was written", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64_000 }), fc.integer({ min: 1, max: 2 ** 30 }), (thousandths, count) => {
        expect(quantityOf(cores(thousandths / 1_000))).toBeCloseTo(thousandths / 1_000, 9);
        expect(quantityOf(mebibytes(count))).toBe(count * 2 ** 20);
      }),
    );
  });
});
