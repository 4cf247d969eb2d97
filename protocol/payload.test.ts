import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePayload } from "./payload.ts";

const parse = (text: string) => parsePayload(Buffer.from(text));
const parseMembers = (members: object) => parse(JSON.stringify({ fw: "0.2.1", ...members }));

describe("a payload", () => {
  it("is given back as text and value", () => {
    const text = '{"fw":"0.2.1", "note":{"a":[1,2,{"b":null}]}}';
    expect(parse(text)).toEqual({ ok: true, text, payload: JSON.parse(text) });
  });

  it.each([
    { temperature_c: -100 },
    { temperature_c: 200 },
    { humidity_pct: 0 },
    { humidity_pct: 100 },
    { pressure_hpa: 100 },
    { pressure_hpa: 2000 },
    { gas_ohm: 0 },
    { gas_ohm: 1e9 },
    { aqi: 0 },
    { aqi: 500 },
    { battery_mv: 0 },
    { battery_mv: 65_535 },
    { thread: {} },
    { thread: { rssi_dbm: -128, lqi: 0, parent: "0x4c00" } },
    { thread: { rssi_dbm: 0, lqi: 255, parent: "4C00", child: 1 } },
    { motion: [0, -8, 16_000] },
    { ota: { campaign: "c", state: "s", version: "v" } },
    { ota: { campaign: "", state: "s", version: "v", reason: "r", more: 1 } },
    { fw: "1.0.0-rc.1+build.5" },
    { fw: `1.0.0-${"a".repeat(58)}` },
    { unknown: 1e308, another: [[], {}], "": "empty name" },
  ])("may hold %j", (members) => expect(parseMembers(members)).toMatchObject({ ok: true }));

  it.each([
    { fw: undefined },
    { fw: null },
    { fw: 1 },
    { fw: "" },
    { fw: "1.0" },
    { fw: "v1.0.0" },
    { fw: " 1.0.0" },
    { fw: "1.0.0\n" },
    { fw: "01.0.0" },
    { fw: `1.0.0-${"a".repeat(59)}` },
    { temperature_c: null },
    { temperature_c: "21.4" },
    { temperature_c: [21.4] },
    { temperature_c: true },
    { temperature_c: -100.1 },
    { temperature_c: 200.1 },
    { humidity_pct: -0.1 },
    { humidity_pct: 100.1 },
    { pressure_hpa: 99.9 },
    { pressure_hpa: 2000.1 },
    { gas_ohm: -1 },
    { gas_ohm: 1e9 + 1 },
    { aqi: 0.5 },
    { aqi: -1 },
    { aqi: 501 },
    { battery_mv: -1 },
    { battery_mv: 65_536 },
    { battery_mv: 3.3 },
    { thread: [] },
    { thread: null },
    { thread: "" },
    { thread: { rssi_dbm: 1 } },
    { thread: { rssi_dbm: -129 } },
    { thread: { rssi_dbm: -60.5 } },
    { thread: { lqi: 256 } },
    { thread: { lqi: null } },
    { thread: { parent: 19_456 } },
    { thread: { parent: "0x4c000" } },
    { thread: { parent: "parent" } },
    { thread: { parent: "" } },
    { motion: [1, 2] },
    { motion: [1, 2, 3, 4] },
    { motion: [1, 2, 3.5] },
    { motion: [1, 2, null] },
    { motion: [1, 2, 2 ** 53] },
    { motion: { 0: 1, 1: 2, 2: 3, length: 3 } },
    { ota: {} },
    { ota: [] },
    { ota: { campaign: "c", state: "s" } },
    { ota: { campaign: "c", state: "s", version: 1 } },
    { ota: { campaign: "c", state: "s", version: "v", reason: null } },
  ])("is bad with %j", (members) => {
    const [member] = Object.keys(members);
    expect(parseMembers(members)).toEqual({ ok: false, reason: expect.stringContaining(`"${member}"`) });
  });

  it.each([
    "",
    " ",
    "null",
    "true",
    "1",
    '"fw"',
    "[]",
    '[{"fw":"0.2.1"}]',
    "{}",
    '{"fw":"0.2.1"}{}',
    '{"fw":"0.2.1"},',
    "{fw:'0.2.1'}",
    '{"fw":"0.2.1",}',
    '\ufeff{"fw":"0.2.1"}',
    '{"fw":"0.2.1","a":NaN}',
    '{"fw":"0.2.1","a":01}',
    '{"fw":"0.2.1"}\0',
    '{"fw":"0.2.1","a":"\n"}',
  ])("is bad as the text %j", (text) => expect(parse(text).ok).toBe(false));

  it("keeps a member that is named like part of an object's prototype", () => {
    const text = '{"fw":"0.2.1","__proto__":{"aqi":900},"constructor":1,"toString":2}';
    expect(parse(text)).toMatchObject({ ok: true, text });
    expect(parse('{"__proto__":{"fw":"0.2.1"}}').ok).toBe(false);
  });

  it.each(["30.0", "3e1", "300E-1"])("takes %s for the integer 30", (number) => {
    expect(parse(`{"fw":"0.2.1","aqi":${number}}`)).toMatchObject({ ok: true, payload: { aqi: 30 } });
  });

  it("counts the last of two members of one name, as the database does", () => {
    expect(parse('{"fw":1,"fw":"0.2.1"}').ok).toBe(true);
    expect(parse('{"fw":"0.2.1","fw":1}').ok).toBe(false);
  });

  it.each([
    ["a cut sequence", [0xc3]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an encoded surrogate", [0xed, 0xa0, 0x80]],
    ["a byte that never occurs", [0xff]],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ])("is bad when it is no UTF-8: %s", (_, bytes) => {
    const plaintext = Buffer.concat([Buffer.from('{"fw":"0.2.1","a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(parsePayload(plaintext)).toEqual({ ok: false, reason: "not UTF-8" });
  });

  it("never throws, and never repeats a value in its reason", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parsePayload(Buffer.from(JSON.stringify({ fw: "0.2.1", aqi: value })));
        if (!parsed.ok) expect(parsed.reason.length).toBeLessThan(80);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void parsePayload(bytes)));
  });

  it("parses every payload of the vectors as it is written there", () => {
    const { single } = JSON.parse(readFileSync(new URL("../test/fixtures/envelope-v1.json", import.meta.url), "utf8"));
    const payloads = single.flatMap(({ payload }: { payload?: object }) => payload ?? []);
    expect(payloads).toHaveLength(9);
    for (const payload of payloads) expect(parse(JSON.stringify(payload))).toMatchObject({ ok: true, payload });
  });
});
