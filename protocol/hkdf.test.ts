import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";

interface HkdfCase {
  readonly tcId: number;
  readonly comment: string;
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
  readonly result: "valid" | "invalid";
}

const file = new URL("../test/fixtures/wycheproof/hkdf_sha256_test.json", import.meta.url);
const wycheproof: { numberOfTests: number; testGroups: { tests: HkdfCase[] }[] } = JSON.parse(
  readFileSync(file, "utf8"),
);
const cases = wycheproof.testGroups.flatMap(({ tests }) => tests);
const hex = (text: string) => Buffer.from(text, "hex");

function derive({ ikm, salt, info, size }: HkdfCase): string {
  return hkdfExpand(hkdfExtract(hex(salt), hex(ikm)), hex(info), size).toString("hex");
}

describe("HKDF-SHA256", () => {
  it("runs every case of Wycheproof's file", () => expect(cases).toHaveLength(wycheproof.numberOfTests));

  it.each(cases.filter(({ result }) => result === "valid"))("derives Wycheproof $tcId $comment", (test) => {
    expect(derive(test)).toBe(test.okm);
  });

  it.each(cases.filter(({ result }) => result === "invalid"))("refuses Wycheproof $tcId $comment", (test) => {
    expect(() => derive(test)).toThrow(RangeError);
  });

  it("expands to nothing", () => expect(hkdfExpand(Buffer.alloc(32), Buffer.alloc(0), 0)).toHaveLength(0));
});
