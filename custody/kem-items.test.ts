import { describe, expect, it } from "vitest";
import { countItems, MAX_KEM_ITEMS, packItems, packResults, unpackItems, unpackResults } from "./kem-items.ts";

const malformed = expect.objectContaining({ code: "CUSTODY_KEM_MALFORMED" });
const item = (n: number) => ({ keyId: Buffer.alloc(8, n), encapsulatedKey: Buffer.alloc(32, n + 1) });
const secret = Buffer.alloc(32, 9);

describe("packed items", () => {
  it("come out as they went in, up to the largest batch", () => {
    const items = Array.from({ length: MAX_KEM_ITEMS }, (_, n) => item(n % 200));
    const packed = packItems(items);
    expect(countItems(packed)).toBe(MAX_KEM_ITEMS);
    expect(unpackItems(packed).map(({ keyId, encapsulatedKey }) => [keyId[7], encapsulatedKey[31]])).toEqual(
      items.map(({ keyId, encapsulatedKey }) => [keyId[7], encapsulatedKey[31]]),
    );
  });

  it.each([0, 1, 39, 41, 40 * MAX_KEM_ITEMS + 1, 40 * (MAX_KEM_ITEMS + 1)])("are not %i bytes", (length) => {
    expect(countItems(new Uint8Array(length))).toBeNull();
  });
});

describe("packed results", () => {
  it("come out as they went in", () => {
    const results = [secret, "unknown-key", "decapsulation-failed"] as const;
    const back = unpackResults(packResults(results), 3).map((r) => (typeof r === "string" ? r : Buffer.from(r)));
    expect(back).toEqual([...results]);
  });

  it("hold no byte of a secret for what was not opened", () => {
    expect([...packResults(["unknown-key"])]).toEqual([1, ...Array(32).fill(0)]);
  });

  it("are refused for another number of items, and with a status that nobody knows", () => {
    expect(() => unpackResults(packResults([secret]), 2)).toThrow(malformed);
    expect(() => unpackResults(packResults([]), 1)).toThrow(malformed);
    expect(() => unpackResults(new Uint8Array(33).fill(3), 1)).toThrow(malformed);
  });
});
