import { encode } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeReceipts, encodeReceipts, RECEIPT_MAX_PAIRS, type Receipt } from "./receipt.ts";
import { VERDICTS } from "./verdict.ts";

const digest = Buffer.alloc(16, 7);
const anyReceipt: fc.Arbitrary<Receipt> = fc.tuple(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc.constantFrom(...VERDICTS),
);
const many = (count: number) => Array.from({ length: count }, (): Receipt => [digest, "accepted"]);
const malformed = expect.objectContaining({ code: "RECEIPT_MALFORMED" });

describe("receipts", () => {
  it("have the bytes of the specification", () => {
    const bytes = encodeReceipts([
      [digest, "accepted"],
      [digest, "bad-payload"],
    ]);
    expect(Buffer.from(bytes).toString("hex")).toBe(`828250${"07".repeat(16)}008250${"07".repeat(16)}0a`);
  });

  it("come back as they went", () => {
    fc.assert(
      fc.property(fc.array(anyReceipt, { maxLength: 50 }), (receipts) => {
        expect(decodeReceipts(Buffer.from(encodeReceipts(receipts)))).toEqual(receipts);
      }),
    );
  });

  it("are at most 1000 in one message", () => {
    expect(decodeReceipts(encodeReceipts(many(RECEIPT_MAX_PAIRS)))).toHaveLength(1000);
    expect(() => encodeReceipts(many(RECEIPT_MAX_PAIRS + 1))).toThrow(malformed);
    expect(() => decodeReceipts(encode(many(RECEIPT_MAX_PAIRS + 1).map(() => [digest, 0])))).toThrow(malformed);
  });

  it.each([15, 17, 32])("are not made with a digest of %i bytes", (length) => {
    expect(() => encodeReceipts([[Buffer.alloc(length), "accepted"]])).toThrow(malformed);
  });

  it.each([
    ["nothing", ""],
    ["no array", "a0"],
    ["a number", "00"],
    ["an array without a length", "9fff"],
    ["an array longer than it says", "8000"],
    ["an array shorter than it says", "81"],
    ["an array of 2^32 pairs", "9affffffff"],
    ["a length in two bytes", "9800"],
    ["an empty pair", "8180"],
    ["a digest alone", `818150${"07".repeat(16)}`],
    ["a third element", `818350${"07".repeat(16)}0000`],
    ["a short digest", `81824f${"07".repeat(15)}00`],
    ["a digest as text", `818270${"61".repeat(16)}00`],
    ["an unknown verdict", `818250${"07".repeat(16)}0b`],
    ["a negative verdict", `818250${"07".repeat(16)}20`],
    ["a verdict as a float", `818250${"07".repeat(16)}f90000`],
    ["a verdict in two bytes", `818250${"07".repeat(16)}1800`],
    ["a tagged pair", `81c08250${"07".repeat(16)}00`],
    ["a map in place of the pair", "81a0"],
    ["nesting without end", "81".repeat(15_000)],
  ])("are refused: %s", (_, hex) => expect(() => decodeReceipts(Buffer.from(hex, "hex"))).toThrow(malformed));

  it("are refused with their own code, whatever the bytes are", () => {
    const bytes = Buffer.from(encodeReceipts(many(3)));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        try {
          expect(Buffer.from(encodeReceipts(decodeReceipts(changed)))).toEqual(changed);
        } catch (thrown) {
          expect(thrown).toEqual(malformed);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
