import { expect, it } from "vitest";
import { sizeBytes } from "./size.ts";

it.each([
  ["1KiB", 1024],
  ["64MiB", 67_108_864],
  ["2GiB", 2_147_483_648],
])("%s is %i bytes", (text, bytes) => {
  expect(sizeBytes(text)).toBe(bytes);
});

it.each(["", "64", "64MB", "0MiB", "-1MiB", "1.5GiB", "64 MiB", "9999999GiB"])("%j is no size", (text) => {
  expect(sizeBytes(text)).toBeNaN();
});
