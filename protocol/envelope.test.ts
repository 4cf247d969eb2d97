import { readFileSync } from "node:fs";
import { encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEnvelope, ENVELOPE_FIELDS, type Envelope, encodeEnvelope, envelopeDigest } from "./envelope.ts";
import { hexOf } from "./hex.ts";

const vectors = JSON.parse(readFileSync(new URL("../test/fixtures/envelope-v1.json", import.meta.url), "utf8"));
const valid = Buffer.from(vectors.single[0].envelope, "hex");
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const anyEnvelope: fc.Arbitrary<Envelope> = fc.record({
  version: fc.constant(1),
  sensorId: bytesOf(9),
  bootId: fc.maxSafeNat().map((n) => n % 2 ** 32),
  seq: fc.maxSafeNat().map((n) => n % 2 ** 32),
  timestamp: fc.maxSafeNat(),
  flags: fc.nat(15),
  keyId: bytesOf(8),
  ciphertext: fc.uint8Array({ minLength: 48, maxLength: 600 }),
  signature: bytesOf(64),
});

function decoded(bytes: Uint8Array) {
  const result = decodeEnvelope(bytes);
  if (!result.ok) throw new Error(`${result.offset}: ${result.reason}`);
  return result;
}

/** An envelope with its byte strings in hex, whatever class they are of. */
function plain(envelope: Envelope): Record<string, unknown> {
  const entries = Object.entries(envelope);
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === "number" ? value : hexOf(value)]));
}

/** CBOR of the first fields by another way than the one under test. */
function cborOf(envelope: Envelope, count: number): Uint8Array {
  const entries = ENVELOPE_FIELDS.slice(0, count).map(({ key, name }) => [key, envelope[name]] as const);
  return encode(new Map(entries), rfc8949EncodeOptions);
}

describe("decodeEnvelope", () => {
  it("gives back what was encoded, with the bytes to verify and to authenticate", () => {
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        const { envelope: again, signedBytes, aad } = decoded(encodeEnvelope(envelope));
        expect(plain(again)).toEqual(plain(envelope));
        const domain = Buffer.from("trustkern/envelope/v1\0");
        expect(Buffer.from(signedBytes)).toEqual(Buffer.concat([domain, cborOf(envelope, 8)]));
        expect(Buffer.from(aad)).toEqual(Buffer.from(cborOf(envelope, 7)));
      }),
    );
  });

  it("gives the same for a Buffer inside a larger one and for a plain Uint8Array", () => {
    const inside = Buffer.concat([Buffer.alloc(7, 0xa9), valid, Buffer.alloc(7, 0xa9)]).subarray(7, 7 + valid.length);
    expect(decoded(inside)).toEqual(decoded(valid));
    expect(decoded(Uint8Array.from(valid))).toEqual(decoded(valid));
  });

  it("accepts one encoding only: whatever it accepts, encoding gives the same bytes", () => {
    const edits = fc.array(fc.record({ at: fc.nat(valid.length), byte: fc.nat(255), kind: fc.nat(2) }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(edits, (changes) => {
        let bytes = Uint8Array.from(valid);
        for (const { at, byte, kind } of changes) bytes = edit(bytes, at % (bytes.length + 1), byte, kind);
        const result = decodeEnvelope(bytes);
        if (result.ok) expect(Buffer.from(encodeEnvelope(result.envelope))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  it("rejects every other value in every byte of the structure around the byte strings", () => {
    const heads = [0, 1, 3, 4, 14, 16, 18, 28, 30, 31, 40, 41, 42, 287, 288, 289];
    for (const at of heads) {
      for (let byte = 0; byte < 256; byte++) {
        if (byte === valid[at]) continue;
        const changed = Buffer.from(valid);
        changed[at] = byte;
        expect(decodeEnvelope(changed), `byte ${at} = ${byte}`).toMatchObject({ ok: false, verdict: "malformed" });
      }
    }
  });

  it("rejects every prefix of an envelope, at a byte that it has or at its end", () => {
    for (let length = 0; length < valid.length; length++) {
      const result = decodeEnvelope(valid.subarray(0, length));
      expect(result).toMatchObject({ ok: false, verdict: "malformed" });
      expect(!result.ok && result.offset).toBeLessThanOrEqual(length);
    }
  });

  it("never throws, and names a byte, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000, size: "max" }), (bytes) => {
        const result = decodeEnvelope(bytes);
        expect(result.ok || (result.offset >= 0 && result.offset <= bytes.length)).toBe(true);
      }),
    );
  });

  it("takes 3072 bytes of ciphertext and not one more", () => {
    const envelope = { ...decoded(valid).envelope, ciphertext: new Uint8Array(3072) };
    expect(decodeEnvelope(encodeEnvelope(envelope)).ok).toBe(true);
    const longer = encode(
      new Map(
        ENVELOPE_FIELDS.map(({ key, name }) => [key, name === "ciphertext" ? new Uint8Array(3073) : envelope[name]]),
      ),
    );
    expect(decodeEnvelope(longer)).toMatchObject({ verdict: "malformed", offset: 41 });
  });
});

/** `cborg` in strict mode leaves the order of keys, tags and the shortest float to its caller; each is held here. */
describe("a non-canonical encoding", () => {
  const head = valid.subarray(0, 1);
  const replaceAt = (at: number, length: number, hex: string) =>
    Buffer.concat([valid.subarray(0, at), Buffer.from(hex, "hex"), valid.subarray(at + length)]);

  it.each([
    ["map length in a byte", replaceAt(0, 1, "b809"), 0],
    ["map length in two bytes", replaceAt(0, 1, "b90009"), 0],
    ["map length in four bytes", replaceAt(0, 1, "ba00000009"), 0],
    ["map length in eight bytes", replaceAt(0, 1, "bb0000000000000009"), 0],
    ["map without a length", Buffer.concat([replaceAt(0, 1, "bf"), Buffer.of(0xff)]), 0],
    ["reserved length of the map", replaceAt(0, 1, "bc"), 0],
    ["key in two bytes", replaceAt(1, 1, "1801"), 1],
    ["key in nine bytes", replaceAt(1, 1, "1b0000000000000001"), 1],
    ["key as a float", replaceAt(1, 1, "f93c00"), 1],
    ["key as text", replaceAt(1, 1, "6131"), 1],
    ["tagged key", replaceAt(1, 1, "c201"), 1],
    ["version as a float", replaceAt(2, 1, "f93c00"), 2],
    ["version in nine bytes", replaceAt(2, 1, "1b0000000000000001"), 2],
    ["tagged version", replaceAt(2, 1, "c001"), 2],
    ["bignum as version", replaceAt(2, 1, "c24101"), 2],
    ["sensor id as text", replaceAt(4, 10, "69616161616161616161"), 4],
    ["sensor id as text that is no UTF-8", replaceAt(4, 10, "69ffffffffffffffffff"), 4],
    ["sensor id in chunks", replaceAt(4, 10, "5f416148c07083425764d982ff"), 4],
    ["sensor id's length in a byte", replaceAt(4, 1, "5809"), 4],
    ["boot_id in two bytes", replaceAt(15, 1, "1801"), 15],
    ["boot_id as null", replaceAt(15, 1, "f6"), 15],
    ["boot_id as undefined", replaceAt(15, 1, "f7"), 15],
    ["boot_id as true", replaceAt(15, 1, "f5"), 15],
    ["boot_id as break", replaceAt(15, 1, "ff"), 15],
    ["boot_id as a simple value", replaceAt(15, 1, "f820"), 15],
    ["boot_id as an array", replaceAt(15, 1, "80"), 15],
    ["timestamp of 2^53", replaceAt(19, 9, "1b0020000000000000"), 19],
    ["timestamp of 2^64-1", replaceAt(19, 9, "1bffffffffffffffff"), 19],
    ["negative timestamp", replaceAt(19, 9, "3b0000019b76daa800"), 19],
    ["timestamp 0 in nine bytes", replaceAt(19, 9, "1b0000000000000000"), 19],
    ["ciphertext's length in two bytes", replaceAt(41, 2, "5900f4"), 41],
    ["ciphertext longer than what follows", replaceAt(41, 2, "59ffff"), 41],
    ["ciphertext of 2^64-1 bytes", replaceAt(41, 2, "5bffffffffffffffff"), 41],
    ["signature's length in four bytes", replaceAt(288, 2, "5a00000040"), 288],
    ["an envelope twice", Buffer.concat([valid, valid]), valid.length],
    ["self-described CBOR", Buffer.concat([Buffer.from("d9d9f7", "hex"), valid]), 0],
    ["only a map's head", head, 1],
  ])("is malformed: %s", (_, bytes, offset) => {
    expect(decodeEnvelope(bytes)).toMatchObject({ ok: false, verdict: "malformed", offset });
  });

  it.each([[[2, 1, 3, 4, 5, 6, 7, 8, 9]], [[1, 2, 3, 4, 5, 6, 7, 9, 8]], [[9, 8, 7, 6, 5, 4, 3, 2, 1]]])(
    "is malformed: keys in the order %j",
    (order) => {
      const { envelope } = decoded(valid);
      const entries = order.map((key) =>
        encode(new Map([[key, envelope[ENVELOPE_FIELDS[key - 1]!.name]]])).subarray(1),
      );
      expect(decodeEnvelope(Buffer.concat([head, ...entries]))).toMatchObject({ ok: false, verdict: "malformed" });
    },
  );

  it("is malformed: a key twice in place of another", () => {
    const bytes = Buffer.from(valid);
    bytes[16] = 3;
    expect(decodeEnvelope(bytes)).toMatchObject({ ok: false, verdict: "malformed", offset: 16 });
  });
});

describe("the version", () => {
  const withVersion = (hex: string) =>
    Buffer.concat([valid.subarray(0, 2), Buffer.from(hex, "hex"), valid.subarray(3)]);

  it.each(["00", "02", "17", "1818", "190100", "1a00010000", "1b0000000100000000", "1bffffffffffffffff"])(
    "%s in the same structure is unsupported",
    (hex) =>
      expect(decodeEnvelope(withVersion(hex))).toMatchObject({ ok: false, verdict: "unsupported-version", offset: 2 }),
  );

  it("2 in another structure is malformed", () => {
    const otherFlags = withVersion("02");
    otherFlags[29] = 16;
    expect(decodeEnvelope(otherFlags)).toMatchObject({ ok: false, verdict: "malformed", offset: 29 });
    expect(decodeEnvelope(Buffer.concat([withVersion("02"), Buffer.of(0)]))).toMatchObject({ verdict: "malformed" });
  });

  it.each(["20", "1802", "6131"])("%s is malformed", (hex) => {
    expect(decodeEnvelope(withVersion(hex))).toMatchObject({ ok: false, verdict: "malformed", offset: 2 });
  });
});

describe("encodeEnvelope", () => {
  const { envelope } = decoded(valid);

  it.each([
    ["sensorId", new Uint8Array(8)],
    ["bootId", 2 ** 32],
    ["bootId", -1],
    ["bootId", 1.5],
    ["seq", Number.NaN],
    ["timestamp", 2 ** 53],
    ["flags", 16],
    ["keyId", new Uint8Array(9)],
    ["ciphertext", new Uint8Array(47)],
    ["ciphertext", new Uint8Array(3073)],
    ["signature", new Uint8Array(63)],
    ["signature", undefined],
  ])("refuses %s = %s", (name, value) => {
    expect(() => encodeEnvelope({ ...envelope, [name]: value } as Envelope)).toThrow(
      expect.objectContaining({ code: "PROTOCOL_BAD_FIELD", path: name }),
    );
  });
});

it("an envelope's digest is SHA-256 of its bytes", () => {
  expect(envelopeDigest(Buffer.from("abc")).toString("hex")).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

/** Replaces, inserts or removes one byte. */
function edit(bytes: Uint8Array, at: number, byte: number, kind: number): Uint8Array<ArrayBuffer> {
  const insert = kind === 2 ? [] : [byte];
  return Uint8Array.from([...bytes.subarray(0, at), ...insert, ...bytes.subarray(kind === 1 ? at : at + 1)]);
}
