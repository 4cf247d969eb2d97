import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assertOutput, splitBytes } from "./output.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-output-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("splitBytes", () => {
  it.each([
    ["4GiB", 2 ** 32],
    ["700MiB", 700 * 2 ** 20],
    ["128KiB", 131_072],
  ])("takes %s", (text, bytes) => {
    expect(splitBytes(text)).toBe(bytes);
  });

  it.each([
    "",
    "4",
    "4GB",
    "4 GiB",
    "4gib",
    "0GiB",
    "-1GiB",
    "1.5GiB",
    "4GiB ",
    "1e3MiB",
    "9999999KiB",
    "4TiB",
    "NaNGiB",
  ])('refuses "%s"', (text) => {
    expect(() => splitBytes(text)).toThrow(expect.objectContaining({ code: "BUNDLE_SPLIT_RANGE" }));
  });

  it("takes nothing that is not a number and a unit", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^[1-9][0-9]{0,5}[KMG]iB$/.test(text));
        expect(() => splitBytes(text)).toThrow(expect.objectContaining({ code: "BUNDLE_SPLIT_RANGE" }));
      }),
    );
  });
});

describe("assertOutput", () => {
  const out = () => join(folder, "site.tkb");
  const codeOf = (path: string): string => {
    try {
      assertOutput(path);
      return "";
    } catch (thrown) {
      return (thrown as { code: string }).code;
    }
  };

  it.each(["other.tkb", "site.tkb.01", "site.tkb.0001", "site.tkb.sha256", "mysite.tkb.001", "site.tkb.001.part"])(
    "does not mind %s beside it",
    (name) => {
      writeFileSync(join(folder, name), "");
      expect(codeOf(out())).toBe("");
    },
  );

  it.each(["site.tkb", "site.tkb.001", "site.tkb.999"])("refuses where %s is", (name) => {
    writeFileSync(join(folder, name), "");
    expect(codeOf(out())).toBe("BUNDLE_OUTPUT_THERE");
  });

  it("refuses a folder, and a link to one", () => {
    expect(codeOf(folder)).toBe("BUNDLE_OUTPUT_THERE");
    mkdirSync(join(folder, "d"));
    symlinkSync(join(folder, "d"), out());
    expect(codeOf(out())).toBe("BUNDLE_OUTPUT_THERE");
  });

  it.each([
    ["that is not there", "none/site.tkb"],
    ["that is a file", "file/site.tkb"],
  ])("refuses a folder %s", (_, path) => {
    writeFileSync(join(folder, "file"), "");
    expect(codeOf(join(folder, path))).toMatch(/^BUNDLE_NOT_WRITABLE$/);
  });
});
