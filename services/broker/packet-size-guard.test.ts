import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPacketSizeGuard } from "./packet-size-guard.ts";

const MAX = 65_536;
/** A PUBLISH header that declares so many bytes to come. */
function header(length: number): number[] {
  const bytes = [0x30];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest >= 128 ? (rest % 128) | 0x80 : rest);
    if (rest < 128) return bytes;
  }
}
const packet = (length: number): Uint8Array => Uint8Array.from([...header(length), ...Array(length).fill(0xff)]);

describe("the guard of packet sizes", () => {
  test("takes the largest packet and refuses one more byte", () => {
    expect(createPacketSizeGuard(MAX)(packet(MAX - 4))).toBe(true);
    expect(createPacketSizeGuard(MAX)(packet(MAX - 3))).toBe(false);
  });

  test("refuses at the header, before any of the packet has come", () => {
    expect(createPacketSizeGuard(MAX)(Uint8Array.from(header(268_435_455)))).toBe(false);
  });

  test("refuses a length of more than four bytes", () => {
    expect(createPacketSizeGuard(MAX)(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x00))).toBe(false);
  });

  test("stays closed once it has refused", () => {
    const guard = createPacketSizeGuard(10);
    expect(guard(packet(20))).toBe(false);
    expect(guard(packet(1))).toBe(false);
  });

  test("follows any sizes through any cuts of the stream", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
        (sizes, cuts) => {
          const stream = Buffer.concat(sizes.map(packet));
          const limit = 200;
          const guard = createPacketSizeGuard(limit);
          let within = true;
          for (let at = 0, cut = 0; at < stream.length; cut++) {
            const step = cuts[cut % cuts.length]!;
            within = guard(stream.subarray(at, at + step));
            at += step;
          }
          expect(within).toBe(sizes.every((size) => packet(size).length <= limit));
        },
      ),
    );
  });
});
