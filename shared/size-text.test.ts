import { expect, it } from "vitest";
import { sizeText } from "./size-text.ts";

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1_048_575, "1.0 MiB"],
  [4 * 2 ** 30, "4.0 GiB"],
  [2 ** 60, "1048576.0 TiB"],
])("says %d bytes as %s", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
