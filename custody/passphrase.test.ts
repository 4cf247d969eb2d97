import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { assertStrong, chooseWorkFactor, readPassphrase } from "./passphrase.ts";

const folder = mkdtempSync(join(tmpdir(), "passphrase-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("assertStrong", () => {
  it.each(["cork otter lamp ruin mint frost", `${"0f1e".repeat(16)}abcd`, "Zm9vYmFyYmF6cXV4cXV1eGNv"])(
    "takes %s",
    (passphrase) => {
      expect(() => assertStrong(passphrase, "words")).not.toThrow();
    },
  );

  it.each(["x", "correct horse", "a".repeat(64), "ab".repeat(30), "0123456789012345678"])(
    "refuses %s",
    (passphrase) => {
      expect(() => assertStrong(passphrase, "words")).toThrow(
        expect.objectContaining({ code: "CUSTODY_PASSPHRASE_WEAK", path: "words" }),
      );
    },
  );
});

describe("chooseWorkFactor", () => {
  it.each([
    ["correct horse battery staple", undefined, 18],
    ["correct horse battery staple", 19, 19],
    ["0f".repeat(32), undefined, 12],
    ["A".repeat(43), undefined, 12],
    ["A".repeat(43), 10, 10],
  ])("for %s asked %s gives %i", (passphrase, asked, chosen) => {
    expect(chooseWorkFactor(passphrase, asked)).toBe(chosen);
  });

  it.each([
    ["correct horse battery staple", 17],
    ["0F".repeat(32), 12],
    ["A".repeat(42), 12],
    ["0f".repeat(32), 9],
    ["0f".repeat(32), 21],
    ["0f".repeat(32), 12.5],
  ])("for %s refuses %d", (passphrase, asked) => {
    expect(() => chooseWorkFactor(passphrase, asked)).toThrow(
      expect.objectContaining({ code: "CUSTODY_WORK_FACTOR_RANGE" }),
    );
  });
});

describe("readPassphrase", () => {
  it("takes the line without its end, and spaces as they are", () => {
    const file = join(folder, "good");
    writeFileSync(file, " a b \r\n");
    expect(readPassphrase(file)).toBe(" a b ");
  });

  it.each(["empty", "absent"])("refuses a file that is %s", (name) => {
    const file = join(folder, name);
    if (name === "empty") writeFileSync(file, "\n");
    expect(() => readPassphrase(file)).toThrow(
      expect.objectContaining({ code: "CUSTODY_PASSPHRASE_MISSING", path: file }),
    );
  });
});
