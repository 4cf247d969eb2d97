import { expect, it } from "vitest";
import { FLAG } from "../../../protocol/envelope.ts";
import { parsePayload } from "../../../protocol/payload.ts";
import { measure } from "./measurements.ts";

const many = Array.from({ length: 2000 }, (_, i) => measure(i * 60_000, Math.random));

it("measures nothing that the specification would call bad-payload", () => {
  for (const { payload } of many)
    expect(parsePayload(Buffer.from(JSON.stringify(payload)))).toMatchObject({ ok: true });
  for (const random of [() => 0, () => 0.999_999]) {
    expect(parsePayload(Buffer.from(JSON.stringify(measure(0, random).payload)))).toMatchObject({ ok: true });
  }
});

it("leaves optional members out now and then, and never sends a null", () => {
  const members = new Set(many.flatMap(({ payload }) => Object.keys(payload)));
  for (const member of ["gas_ohm", "aqi", "battery_mv", "thread", "motion", "ota"]) {
    expect(members).toContain(member);
    expect(many.some(({ payload }) => !(member in payload))).toBe(true);
  }
  expect(JSON.stringify(many)).not.toContain("null");
});

it("sets the OTA flag with an OTA report alone, and the battery flag for a low battery alone", () => {
  for (const { payload, flags } of many) {
    expect((flags & FLAG.otaEvent) !== 0).toBe(payload.ota !== undefined);
    expect((flags & FLAG.batteryLow) !== 0).toBe((payload.battery_mv ?? 9999) < 2400);
  }
});

it("makes some payloads longer than a CoAP block, and none longer than an envelope holds", () => {
  const lengths = many.map(({ payload }) => JSON.stringify(payload).length);
  expect(Math.max(...lengths)).toBeGreaterThan(900);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(3072 - 48);
});
