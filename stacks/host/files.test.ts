import { join } from "node:path";
import { expect, it } from "vitest";
import { whyUnwritable } from "./files.ts";

const gone = Object.assign(new Error("ENOENT: no such file or directory, mkdir"), { code: "ENOENT" });
const readOnly = (path: unknown) => {
  throw new Error(`EROFS: read-only file system, access '${path}'`);
};

it("says of a read-only file system that it is one, by the nearest folder that is there", () => {
  const path = join(import.meta.dirname, "none", "of", "these");
  expect(whyUnwritable(path, gone, readOnly)).toBe(`EROFS: read-only file system, access '${import.meta.dirname}'`);
  expect(whyUnwritable("/none/of/these", gone, readOnly)).toContain("access '/'");
});

it("leaves any other reason as it is", () => {
  expect(whyUnwritable("/none", new Error("ENOSPC: full"), readOnly)).toBe("ENOSPC: full");
  expect(whyUnwritable(join(import.meta.dirname, "none"), gone, () => undefined)).toBe(gone.message);
});
