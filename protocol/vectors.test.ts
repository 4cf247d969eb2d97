import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkVectors } from "./vectors.ts";
import { parseVectors } from "./vectors-file.ts";

const json = readFileSync(new URL("../test/fixtures/envelope-v1.json", import.meta.url), "utf8");
const file = parseVectors(json);
const report = checkVectors(file);

/** The report after one change to the file. */
function changed(change: (file: ReturnType<typeof JSON.parse>) => void) {
  const copy = JSON.parse(json);
  change(copy);
  return checkVectors(parseVectors(JSON.stringify(copy)));
}

describe("the vectors of the specification", () => {
  it.each(report.single)("single: $name is $expected", ({ ok, verdict, expected }) => {
    expect(verdict).toBe(expected);
    expect(ok).toBe(true);
  });

  it.each(report.sequence.gateway)("gateway: $name is $expected", ({ ok }) => expect(ok).toBe(true));
  it.each(report.sequence.collector)("collector: $name is $expected", ({ ok }) => expect(ok).toBe(true));

  it("are all run, payloads and late ones among them, without a mismatch", () => {
    expect(report).toMatchObject({ schema: "trustkern.envelope-check/1", mismatches: 0 });
    expect(report.single).toHaveLength(44);
    expect(report.sequence.gateway).toHaveLength(17);
    expect(report.sequence.collector).toHaveLength(17);
    expect(file.single.filter(({ payload }) => payload !== undefined)).toHaveLength(9);
    expect(file.sequence.collector.filter(({ late }) => late)).toHaveLength(3);
  });
});

describe("a mismatch", () => {
  it("is another verdict", () => {
    const { single, mismatches } = changed(({ single }) => {
      single[0].verdict = "bad-signature";
    });
    expect(mismatches).toBe(1);
    expect(single[0]).toEqual({ name: "valid 1", expected: "bad-signature", verdict: "accepted", ok: false });
  });

  it.each([
    (payload: Record<string, unknown>) => Object.assign(payload, { aqi: 31 }),
    (payload: Record<string, unknown>) => Object.assign(payload, { more: null }),
    (payload: Record<string, unknown>) => delete payload.fw,
  ])("is another payload (%#)", (change) => {
    const { single, mismatches } = changed(({ single }) => change(single[0].payload));
    expect(mismatches).toBe(1);
    expect(single[0]).toMatchObject({ verdict: "accepted", ok: false, differs: "payload" });
  });

  it("is a payload where none is accepted", () => {
    const { mismatches } = changed(({ single }) => {
      single[8].payload = {};
    });
    expect(mismatches).toBe(1);
  });

  it("is not the order of a payload's members", () => {
    const { mismatches } = changed(({ single }) => {
      single[0].payload = Object.fromEntries(Object.entries(single[0].payload).reverse());
    });
    expect(mismatches).toBe(0);
  });

  it("is a late one that is not marked, and one that is marked and is not late", () => {
    const { sequence, mismatches } = changed(({ sequence }) => {
      delete sequence.collector[8].late;
      sequence.collector[0].late = true;
    });
    expect(mismatches).toBe(2);
    expect(sequence.collector[8]).toMatchObject({ ok: false, differs: "late" });
    expect(sequence.collector[0]).toMatchObject({ ok: false, differs: "late" });
  });

  it("is one in every sequence, whose order counts", () => {
    const { sequence } = changed(({ sequence }) => void sequence.gateway.reverse());
    expect(sequence.gateway.some(({ ok }) => !ok)).toBe(true);
  });

  it("is a valid envelope whose sensor was taken from the allowlist", () => {
    const { single } = changed((copy) => {
      copy.allowlist = [];
    });
    expect(single[0]).toMatchObject({ verdict: "unknown-sensor", ok: false });
  });
});
