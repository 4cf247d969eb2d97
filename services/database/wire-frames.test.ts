import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameReader, FrameError, frame, readText, typeOf } from "./wire-frames.ts";

const MAX = 100_000;

describe("frames", () => {
  it("are the same however the stream is cut", () => {
    const messages = [frame("Q", "SELECT 1\0"), frame("S"), frame("d", Buffer.alloc(300, 1)), frame("X")];
    const bytes = Buffer.concat(messages);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }), (cuts) => {
        const reader = createFrameReader(MAX);
        const edges = [0, ...cuts.sort((left, right) => left - right), bytes.length];
        const read = edges.slice(1).flatMap((end, index) => reader.push(bytes.subarray(edges[index], end)));
        expect(read.map(String)).toEqual(messages.map(String));
      }),
    );
  });

  it("are copies of nothing but their own bytes", () => {
    const [first, second] = createFrameReader(MAX).push(Buffer.concat([frame("Q", "a\0"), frame("Q", "b\0")]));
    expect([readText(first!, 5), readText(second!, 5), typeOf(second!)]).toEqual(["a", "b", "Q"]);
  });

  it.each([
    ["an unknown type", Buffer.from("G\0\0\0\x04")],
    ["a length below its own four bytes", Buffer.from("Q\0\0\0\x03")],
    ["a length above the limit, before its body is there", Buffer.from("Q\x7f\xff\xff\xff")],
    ["a large message of a type that is always small", Buffer.from("S\0\0\x27\x11")],
    ["an unknown type behind a good message", Buffer.concat([frame("S"), Buffer.from("!\0\0\0\x04")])],
  ])("are refused for %s", (_, bytes) => {
    expect(() => createFrameReader(MAX).push(bytes)).toThrow(FrameError);
  });
});
