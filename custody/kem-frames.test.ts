import { encode } from "cborg";
import { describe, expect, it } from "vitest";
import {
  encodeFrame,
  FrameReader,
  MAX_KEM_ITEMS,
  packItems,
  packResults,
  parseRequest,
  parseResponse,
  unpackItems,
  unpackResults,
} from "./kem-frames.ts";

const malformed = expect.objectContaining({ code: "CUSTODY_FRAME_MALFORMED" });
const item = (n: number) => ({ keyId: Buffer.alloc(8, n), encapsulatedKey: Buffer.alloc(32, n + 1) });
const secret = Buffer.alloc(32, 9);

describe("KEM frames", () => {
  it("carry the largest batch there and back", () => {
    const items = Array.from({ length: MAX_KEM_ITEMS }, (_, n) => item(n % 200));
    const [body] = new FrameReader().push(Buffer.from(encodeFrame({ id: 2 ** 40, items: packItems(items) })));
    const request = parseRequest(body!);
    expect(request.id).toBe(2 ** 40);
    expect(unpackItems(request.items).map(({ keyId }) => keyId[0])).toEqual(items.map(({ keyId }) => keyId[0]));
    const results = [secret, "unknown-key", "decapsulation-failed"] as const;
    const [answer] = new FrameReader().push(Buffer.from(encodeFrame({ id: 1, results: packResults(results) })));
    const response = parseResponse(answer!);
    expect(
      "results" in response &&
        unpackResults(response.results, 3).map((r) => (typeof r === "string" ? r : Buffer.from(r))),
    ).toEqual([...results]);
  });

  it("say that custody is sealed", () => {
    expect(parseResponse(encode({ id: 1, error: "sealed" }))).toEqual({ id: 1, error: "sealed" });
  });

  it("survive being cut into single bytes", () => {
    const frame = encodeFrame({ id: 1, items: packItems([item(1)]) });
    const reader = new FrameReader();
    const bodies = [...frame, ...frame].flatMap((byte) => [...reader.push(Buffer.of(byte))]);
    expect(bodies.map((body) => parseRequest(body).id)).toEqual([1, 1]);
  });

  it.each([
    ["of length 0", [0, 0, 0, 0]],
    ["longer than the bound", [0, 1, 0, 0]],
    ["of 4 GiB", [255, 255, 255, 255]],
  ])("refuse a frame %s before its body has come", (_, bytes) => {
    expect(() => new FrameReader().push(Buffer.from(bytes))).toThrow(malformed);
  });

  it.each([
    ["no CBOR", Buffer.of(0xff)],
    ["trailing bytes", Buffer.concat([encode({ id: 1, items: packItems([item(1)]) }), Buffer.of(0)])],
    ["null", encode(null)],
    ["no id", encode({ items: packItems([item(1)]) })],
    ["a negative id", encode({ id: -1, items: packItems([item(1)]) })],
    ["a fraction as id", encode({ id: 0.5, items: packItems([item(1)]) })],
    ["no items", encode({ id: 1 })],
    ["empty items", encode({ id: 1, items: new Uint8Array(0) })],
    ["a cut item", encode({ id: 1, items: new Uint8Array(39) })],
    ["items as text", encode({ id: 1, items: "x".repeat(40) })],
    ["one item too many", encode({ id: 1, items: new Uint8Array((MAX_KEM_ITEMS + 1) * 40) })],
  ])("refuse a request with %s", (_, body) => {
    expect(() => parseRequest(body)).toThrow(malformed);
  });

  it("refuse results of another number or status than asked for", () => {
    expect(() => unpackResults(packResults([secret]), 2)).toThrow(malformed);
    expect(() => unpackResults(new Uint8Array(33).fill(3), 1)).toThrow(malformed);
    expect(() => parseResponse(encode({ id: 1, error: "lost" }))).toThrow(malformed);
  });
});
