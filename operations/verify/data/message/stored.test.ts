import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { makeMarker } from "./marker.ts";
import { countRows, type Row } from "./stored.ts";

const marker = makeMarker("gw-01", randomBytes);
const row: Row = { sensor: "ab", gateway: "gw-01", payload: structuredClone(marker.payload) };

it("counts the row of the sensor, through the gateway, with all that was measured", () => {
  expect(countRows([row], marker, "ab")).toEqual({ rows: 1, whole: 1 });
  expect(countRows([row, row], marker, "ab")).toEqual({ rows: 2, whole: 2 });
  expect(countRows([], marker, "ab")).toEqual({ rows: 0, whole: 0 });
});

it.each<readonly [string, Partial<Row>]>([
  ["of another sensor", { sensor: "cd" }],
  ["of another gateway", { gateway: "gw-02" }],
  ["with another temperature", { payload: { ...marker.payload, temperature_c: 21 } }],
  ["with something more", { payload: { ...marker.payload, more: 1 } }],
  ["with nothing", { payload: null }],
])("does not take a row %s for whole", (_, change) => {
  expect(countRows([{ ...row, ...change }], marker, "ab")).toEqual({ rows: 1, whole: 0 });
});
