import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parsePayload } from "../../../../protocol/payload.ts";
import { needlesOf } from "../../search/needles.ts";
import { searchFor } from "../../search/search.ts";
import { type Marker, makeMarker } from "./marker.ts";

const many = Array.from({ length: 300 }, () => makeMarker("gw-01", randomBytes));

it("is a payload that the collector takes", () => {
  for (const { plaintext } of many) expect(parsePayload(Buffer.from(plaintext))).toMatchObject({ ok: true });
});

it("keeps each number's digits through JSON, so that they are found as they were measured", () => {
  for (const { canary, plaintext } of many) {
    for (const { what, bytes } of canary.cores) if (what === "number") expect(plaintext).toContain(bytes.toString());
  }
});

it("has nothing in common with another one", () => {
  const whole = many.flatMap(({ canary }) => canary.cores.filter(({ what }) => what !== "rounded number"));
  const cores = whole.map(({ bytes }) => bytes.toString("hex"));
  expect(new Set(cores).size).toBe(cores.length);
});

it("can be looked for in every encoding", () => {
  const [marker] = many;
  const forms = needlesOf([marker!.canary]).map(({ form }) => form);
  expect(forms).toEqual(expect.arrayContaining(["text", "text in base64", "number", "number in hex", "decoded text"]));
});

const said = (text: string) => ({ name: "here", content: `x ${text}, and so on` });
const valuesOf = ({ payload }: Marker) =>
  [payload.temperature_c, payload.humidity_pct, payload.pressure_hpa].map(Number);

/** Whether the search of one marker finds a text, or bytes. */
function finder(marker: Marker): (content: string | Uint8Array) => Promise<boolean> {
  const search = searchFor(needlesOf([marker.canary]));
  return async (content) => {
    const places = async function* () {
      yield typeof content === "string" ? said(content) : { name: "here", content };
    };
    return (await search(places())).length > 0;
  };
}

describe("a measured value is found", () => {
  const [marker] = many;
  const finds = finder(marker!);
  const doubles = (write: (bytes: Buffer, value: number) => void) =>
    valuesOf(marker!).map((value) => {
      const bytes = Buffer.alloc(24, "x");
      write(bytes, value);
      return bytes;
    });

  it.each([
    ["little-endian", doubles((bytes, value) => bytes.writeDoubleLE(value, 7))],
    ["big-endian", doubles((bytes, value) => bytes.writeDoubleBE(value, 7))],
  ])("as a float64, %s", async (_, each) => {
    for (const bytes of each) expect(await finds(bytes)).toBe(true);
  });

  it.each([10, 11, 12, 13, 14, 15])("as a decimal and with an exponent, of %i digits", async (digits) => {
    for (const value of valuesOf(marker!)) {
      expect(await finds(value.toPrecision(digits))).toBe(true);
      expect(await finds(value.toExponential(digits - 1).replace("e+", "E+0"))).toBe(true);
    }
  });

  it("not where it is rounded to what everybody measures: that is a limit, and said in the guide", async () => {
    for (const value of valuesOf(marker!)) expect(await finds(value.toFixed(2))).toBe(false);
  });
});

it("has a number that is found however it is rounded, down to six digits", async () => {
  for (const marker of many.slice(0, 3)) {
    const finds = finder(marker);
    const value = Number(marker.payload.verification_number);
    for (const decimals of [0, 1, 2, 3, 6]) expect(await finds(value.toFixed(decimals))).toBe(true);
    for (const digits of [6, 7, 8, 9, 10, 12, 15]) {
      const text = value.toExponential(digits - 1);
      for (const each of [text, text.toUpperCase(), text.replace("+", "")]) expect(await finds(each)).toBe(true);
    }
    expect(await finds((value * 1.001).toFixed(3))).toBe(false);
  }
});
