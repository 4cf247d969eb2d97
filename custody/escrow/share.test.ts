import { randomBytes } from "node:crypto";
import { bech32, bech32m } from "@scure/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { looksLikeShare, parseShare, renderShare, type Share, shareDigest, tenantHashOf } from "./share.ts";

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((each) => Buffer.from(each).toString("hex"));
const anyShare: fc.Arbitrary<Share> = fc
  .record({
    ...{ tenantHash: hex(4), keyId: hex(8), setId: hex(8) },
    bytes: fc.uint8Array({ minLength: 33, maxLength: 33 }),
    counts: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
  })
  .map(({ counts: [one, other, third], ...rest }) => {
    const total = 2 + (one % 254);
    return { ...rest, total, threshold: 2 + (other % (total - 1)), index: 1 + (third % total) };
  });
const SHARE: Share = {
  ...{ tenantHash: tenantHashOf("acme"), keyId: "0011223344556677", setId: "8899aabbccddeeff" },
  ...{ threshold: 2, total: 3, index: 1, bytes: randomBytes(33) },
};
const TEXT = renderShare(SHARE);
const CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio-QZ_ \u00e9";
const code = (text: string): string => {
  try {
    parseShare(text, "paper");
    return "parsed";
  } catch (thrown) {
    const { code: found, path, message } = thrown as { code: string; path: string; message: string };
    expect(path).toBe("paper");
    expect(message).toContain("paper");
    expect(message).not.toContain(TEXT.slice(60, 80));
    return found;
  }
};
const encoded = (bytes: Uint8Array, prefix = "tkshare"): string =>
  bech32m.encode(prefix, bech32m.toWords(bytes), false);
const packed = (): Buffer =>
  Buffer.from(bech32m.fromWords(bech32m.decode(TEXT.replaceAll("-", "") as "a1b", false).words));

describe("the text of a share", () => {
  test("is one line in groups that gives the same share, in either case, with any hyphens and white space", () => {
    fc.assert(
      fc.property(anyShare, (share) => {
        const text = renderShare(share);
        expect(text).toMatch(/^tkshare1-(?:[a-z0-9]{4}-)*[a-z0-9]{1,4}$/);
        const bare = text.replaceAll("-", "");
        for (const each of [text, bare, ` ${text}\n`, text.toUpperCase(), text.replaceAll("-", " \n")]) {
          expect({ ...parseShare(each, "x"), bytes: [] }).toEqual({ ...share, bytes: [] });
          expect(Buffer.from(parseShare(each, "x").bytes).equals(share.bytes)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("is refused by name with any character of it changed", () => {
    const alike = (text: string): string => text.replace(/[\s-]/g, "");
    for (let at = 0; at < TEXT.length; at++) {
      for (const character of CHARACTERS) {
        const changed = TEXT.slice(0, at) + character + TEXT.slice(at + 1);
        if (alike(changed) === alike(TEXT)) continue;
        expect(code(changed), `${character} at ${at}`).toMatch(/^CUSTODY_SHARE_(CORRUPT|NOT_ONE)$/);
      }
    }
  });

  test("is refused with a character too few or too many, or two that changed places", () => {
    const bare = TEXT.replaceAll("-", "");
    for (let at = "tkshare1".length; at < bare.length; at++) {
      const [before, after] = [bare.slice(0, at), bare.slice(at + 1)];
      expect(code(before + after), `without ${at}`).toBe("CUSTODY_SHARE_CORRUPT");
      expect(code(`${before}q${bare.slice(at)}`), `more at ${at}`).toBe("CUSTODY_SHARE_CORRUPT");
      const swapped = before + (after[0] ?? "") + (bare[at] ?? "") + after.slice(1);
      if (swapped !== bare) expect(code(swapped), `swapped ${at}`).toBe("CUSTODY_SHARE_CORRUPT");
    }
  });

  test.each<[string, () => string, string]>([
    ["nothing", () => "", "CUSTODY_SHARE_NOT_ONE"],
    ["white space", () => " \n", "CUSTODY_SHARE_NOT_ONE"],
    ["another Bech32m text", () => encoded(packed(), "tkother"), "CUSTODY_SHARE_NOT_ONE"],
    ["an age identity", () => "AGE-SECRET-KEY-1QQQQ", "CUSTODY_SHARE_NOT_ONE"],
    ["its beginning alone", () => "tkshare1", "CUSTODY_SHARE_CORRUPT"],
    [
      "Bech32 of the same bytes",
      () => bech32.encode("tkshare", bech32.toWords(packed()), false),
      "CUSTODY_SHARE_CORRUPT",
    ],
    ["mixed case", () => TEXT.slice(0, 40) + TEXT.slice(40).toUpperCase(), "CUSTODY_SHARE_CORRUPT"],
    ["another version", () => encoded(Buffer.of(2, ...packed().subarray(1))), "CUSTODY_SHARE_NOT_ONE"],
    ["no bytes", () => encoded(Buffer.alloc(0)), "CUSTODY_SHARE_NOT_ONE"],
    ["a byte too few", () => encoded(packed().subarray(0, -1)), "CUSTODY_SHARE_CORRUPT"],
    ["a byte too many", () => encoded(Buffer.of(...packed(), 0)), "CUSTODY_SHARE_CORRUPT"],
    ["threshold 1", () => encoded(packed().fill(1, 21, 22)), "CUSTODY_SHARE_CORRUPT"],
    ["fewer shares than its threshold", () => encoded(packed().fill(4, 21, 22)), "CUSTODY_SHARE_CORRUPT"],
    ["number 0", () => encoded(packed().fill(0, 23, 24)), "CUSTODY_SHARE_CORRUPT"],
    ["a number beyond the last", () => encoded(packed().fill(4, 23, 24)), "CUSTODY_SHARE_CORRUPT"],
  ])("is none for %s", (_, text, expected) => {
    expect(code(text())).toBe(expected);
  });

  test("has a digest of all that it says", () => {
    const others: Partial<Share>[] = [
      { index: 2 },
      { threshold: 3 },
      { setId: SHARE.keyId },
      { bytes: randomBytes(33) },
    ];
    for (const other of others) expect(shareDigest({ ...SHARE, ...other })).not.toBe(shareDigest(SHARE));
  });

  test("looks like one in any case and spacing, and nothing else does", () => {
    for (const text of [TEXT, TEXT.toUpperCase(), "tk share1-qq"]) expect(looksLikeShare(text)).toBe(true);
    for (const text of ["share-1-anna.age", "./tkshare1-x", ""]) expect(looksLikeShare(text)).toBe(false);
  });
});
