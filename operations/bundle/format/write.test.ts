import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { removeFolders, writtenBundle } from "./test-bundle.ts";

afterEach(removeFolders);

test("the same contents give the same bytes", async () => {
  const [one = ""] = await writtenBundle();
  const [other = ""] = await writtenBundle();
  expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
});
