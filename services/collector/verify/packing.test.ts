import { describe, expect, it } from "vitest";
import {
  type CheckResult,
  packMessages,
  packResults,
  receiptDigest,
  unpackMessages,
  unpackResults,
} from "./packing.ts";

const digest = Buffer.alloc(32, 5);
const plain = (results: readonly CheckResult[]) =>
  results.map((result) => ({
    ...result,
    digest: Buffer.from(result.digest),
    ...("fields" in result
      ? {
          fields: {
            ...result.fields,
            keyId: Buffer.from(result.fields.keyId),
            payload: Buffer.from(result.fields.payload),
          },
        }
      : {}),
  }));

describe("packing", () => {
  it("carries messages of every length, an empty one and one over 65535 bytes included", () => {
    const messages = [0, 1, 4096, 70_000].map((length, index) => ({
      sensorId: `0${index}`.repeat(9),
      bytes: Buffer.alloc(length, index),
    }));
    expect(unpackMessages(packMessages(messages))).toEqual(messages);
    expect(unpackMessages(packMessages([]))).toEqual([]);
  });

  it("carries the largest fields without loss", () => {
    const fields = {
      bootId: 2 ** 32 - 1,
      seq: 2 ** 32 - 1,
      timestamp: 2 ** 53 - 1,
      flags: 15,
      keyId: Buffer.alloc(8, 255),
      payload: Buffer.from('{"fw":"1.0.0"}'),
    };
    const results: CheckResult[] = [
      { outcome: "bad-payload", digest },
      { outcome: "accepted", digest, fields },
      { outcome: "unlisted", digest },
      { outcome: "fault", digest },
      { outcome: "accepted", digest, fields: { ...fields, payload: Buffer.alloc(0) } },
    ];
    expect(plain(unpackResults(packResults(results)))).toEqual(results);
  });

  it("owns its memory, so that it can be transferred", () => {
    const packed = packMessages([{ sensorId: "00".repeat(9), bytes: Buffer.from("abc") }]);
    expect(packed.buffer.byteLength).toBe(packed.length);
  });

  it("names an envelope in a receipt by the first 16 bytes of its digest", () => {
    expect(receiptDigest(digest)).toEqual(digest.subarray(0, 16));
  });
});
