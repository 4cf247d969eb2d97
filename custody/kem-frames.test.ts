import { encode } from "cborg";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameReader, fitsFrame, MAX_REFUSALS, parseRequest, parseResponse } from "./kem-frames.ts";
import { MAX_KEM_ITEMS, packItems, packResults } from "./kem-items.ts";

const malformed = expect.objectContaining({ code: "CUSTODY_FRAME_MALFORMED" });
const item = { keyId: Buffer.alloc(8, 1), encapsulatedKey: Buffer.alloc(32, 2) };
const batch = (items = packItems([item])) => ({ id: 1, client: "svc-collector", use: "live" as const, items });
const question = { challenge: new Uint8Array(32).fill(4), known: "0".repeat(64) };
const key = { keyId: "0011223344556677", wrapped: new Uint8Array(60) };
const answer = { statement: "a.b.c", introduction: new Uint8Array(90), state: "{}", keys: [key] };
const refusal = { client: "gw-01", reason: "identity" as const, count: 3 };

describe("KEM frames", () => {
  it("carry the largest batch", () => {
    const items = packItems(Array(MAX_KEM_ITEMS).fill(item));
    const [body] = new FrameReader().push(Buffer.from(encodeFrame({ ...batch(items), id: 2 ** 40 })));
    expect(parseRequest(body!)).toEqual({ ...batch(new Uint8Array(items)), id: 2 ** 40 });
    const results = packResults(Array(MAX_KEM_ITEMS).fill("unknown-key"));
    const [answer] = new FrameReader().push(Buffer.from(encodeFrame({ id: 1, results })));
    expect(parseResponse(answer!)).toEqual({ id: 1, results: new Uint8Array(results) });
  });

  it("carry what the broker refused, and the question whether custody is sealed", () => {
    expect(parseRequest(encode({ id: 1, refused: [refusal] }))).toEqual({ id: 1, refused: [refusal] });
    expect(parseRequest(encode({ id: 1 }))).toEqual({ id: 1 });
  });

  it("carry what several custodies say to each other, whatever the state is long", () => {
    for (const request of [
      { id: 1, follow: true },
      { id: 1, state: question },
      { id: 1, heard: answer },
    ])
      expect(parseRequest(encode(request))).toEqual(request);
    for (const response of [
      { id: 1, question },
      { id: 1, answer },
    ])
      expect(parseResponse(encode(response))).toEqual(response);
    const most = { id: 1, heard: { ...answer, state: "x".repeat(1_000_000) } };
    expect(fitsFrame(most)).toBe(true);
    expect(new FrameReader().push(Buffer.from(encodeFrame(most)))).toHaveLength(1);
    expect(fitsFrame({ id: 1, answer: { ...answer, state: "x".repeat(1_100_000) } })).toBe(false);
  });

  it("say that custody is sealed, or why it answers nothing", () => {
    expect(parseResponse(encode({ id: 1, error: "sealed" }))).toEqual({ id: 1, error: "sealed" });
    const away = { id: 1, error: "unavailable", code: "CUSTODY_AUDIT_UNAVAILABLE" };
    expect(parseResponse(encode(away))).toEqual(away);
  });

  it("survive being cut into single bytes, and being put together", () => {
    const frame = encodeFrame(batch());
    const reader = new FrameReader();
    const bodies = [...frame, ...frame].flatMap((byte) => [...reader.push(Buffer.of(byte))]);
    expect(bodies.map((body) => parseRequest(body).id)).toEqual([1, 1]);
    expect(reader.push(Buffer.concat([frame, frame, frame.subarray(0, 5)]))).toHaveLength(2);
    expect(reader.push(Buffer.from(frame.subarray(5)))).toHaveLength(1);
  });

  it.each([
    ["of length 0", [0, 0, 0, 0]],
    ["longer than the bound", [0, 16, 0, 1]],
    ["of 4 GiB", [255, 255, 255, 255]],
  ])("refuse a frame %s before its body has come", (_, bytes) => {
    expect(() => new FrameReader().push(Buffer.from(bytes))).toThrow(malformed);
  });

  it.each([
    ["no CBOR", Buffer.of(0xff)],
    ["trailing bytes", Buffer.concat([encode(batch()), Buffer.of(0)])],
    ["null", encode(null)],
    ["no id", encode({ ...batch(), id: undefined })],
    ["a negative id", encode({ ...batch(), id: -1 })],
    ["a fraction as id", encode({ ...batch(), id: 0.5 })],
    ["an unknown member", encode({ ...batch(), key: 1 })],
    ["no client", encode({ id: 1, use: "live", items: packItems([item]) })],
    ["an endless client", encode({ ...batch(), client: "x".repeat(65) })],
    ["another use", encode({ ...batch(), use: "both" })],
    ["empty items", encode(batch(new Uint8Array(0)))],
    ["a cut item", encode(batch(new Uint8Array(39)))],
    ["items as text", encode({ ...batch(), items: "x".repeat(40) })],
    ["one item too many", encode(batch(new Uint8Array((MAX_KEM_ITEMS + 1) * 40)))],
    ["no refusals", encode({ id: 1, refused: [] })],
    ["too many refusals", encode({ id: 1, refused: Array(MAX_REFUSALS + 1).fill(refusal) })],
    ["a refusal of nothing", encode({ id: 1, refused: [{ ...refusal, count: 0 }] })],
    ["no order to follow", encode({ id: 1, follow: false })],
    ["a short challenge", encode({ id: 1, state: { ...question, challenge: new Uint8Array(31) } })],
    ["a digest in capitals", encode({ id: 1, state: { ...question, known: "A".repeat(64) } })],
    ["an answer without a statement", encode({ id: 1, heard: { ...answer, statement: "" } })],
    ["an answer without an introduction", encode({ id: 1, heard: { ...answer, introduction: new Uint8Array(0) } })],
    ["the signer's key", encode({ id: 1, heard: { ...answer, keys: [{ ...key, keyId: "audit-signer" }] } })],
    ["a path for a key id", encode({ id: 1, heard: { ...answer, keys: [{ ...key, keyId: "../../etc/passwd" }] } })],
    [
      "a wrapped key of 9 KiB",
      encode({ id: 1, heard: { ...answer, keys: [{ ...key, wrapped: new Uint8Array(9216) }] } }),
    ],
    ["an answer and a batch", encode({ ...batch(), heard: answer })],
    ["a refusal for another reason", encode({ id: 1, refused: [{ ...refusal, reason: "mood" }] })],
  ])("refuse a request with %s", (_, body) => {
    expect(() => parseRequest(body)).toThrow(malformed);
  });

  it.each([
    ["another error", { id: 1, error: "lost" }],
    ["a reason without a code", { id: 1, error: "unavailable" }],
    ["a sentence for a code", { id: 1, error: "unavailable", code: "the key is 00112233" }],
    ["cut results", { id: 1, results: new Uint8Array(32) }],
    ["a question without a digest", { id: 1, question: { challenge: question.challenge } }],
    ["an answer and a question", { id: 1, answer, question }],
    ["results and an error", { id: 1, results: new Uint8Array(33), error: "sealed" }],
  ])("refuse a response with %s", (_, body) => {
    expect(() => parseResponse(encode(body))).toThrow(malformed);
  });
});
