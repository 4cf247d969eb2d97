import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inspectEnvelope } from "./inspect.ts";
import { keysOf } from "./vectors.ts";
import { parseVectors } from "./vectors-file.ts";

const file = parseVectors(readFileSync(new URL("../test/fixtures/envelope-v1.json", import.meta.url), "utf8"));
const keys = keysOf(file);
const envelope = (name: string) => Buffer.from(file.single.find((each) => each.name === name)!.envelope, "hex");
const valid = envelope("valid 1");
const inspect = (name: string) => inspectEnvelope(envelope(name), keys);

describe("inspect", () => {
  it("explains a valid envelope field by field", () => {
    const report = inspectEnvelope(valid, keys);
    expect(report).toMatchObject({
      schema: "trustkern.envelope-inspect/1",
      size: 354,
      verdict: "accepted",
      offset: null,
      reason: null,
      unchecked: [],
    });
    expect(report.payload).toEqual(file.single[0]?.payload);
    expect(report.fields.map(({ key, name, offset, length }) => [key, name, offset, length])).toEqual([
      [1, "version", 2, 1],
      [2, "sensor_id", 4, 10],
      [3, "boot_id", 15, 1],
      [4, "seq", 17, 1],
      [5, "timestamp", 19, 9],
      [6, "flags", 29, 1],
      [7, "key_id", 31, 9],
      [8, "ciphertext", 41, 246],
      [9, "signature", 288, 66],
    ]);
    expect(report.fields[1]?.value).toBe("61c07083425764d982");
    expect(report.fields[4]?.meaning).toBe("2026-01-01T00:00:00.000Z");
  });

  it("gives the same verdict as the vectors for each of their cases", () => {
    for (const { name, verdict } of file.single) expect(inspect(name).verdict, name).toBe(verdict);
  });

  it.each([
    ["version 2", "unsupported-version", 2],
    ["sensor that is not on the allowlist", "unknown-sensor", 4],
    ["zero signature", "bad-signature", 288],
    ["key id of no known key", "unknown-key", 31],
    ["sealed with another info", "decrypt-failed", 41],
    ["no fw", "bad-payload", 41],
    ["an unknown key", "malformed", 0],
    ["an unused flag bit", "malformed", 29],
    ["boot_id too large", "malformed", 15],
    ["negative seq", "malformed", 17],
    ["sensor id of 8 bytes", "malformed", 4],
    ["signature of 65 bytes", "malformed", 288],
    ["ciphertext shorter than enc and tag", "malformed", 41],
    ["envelope over 4096 bytes", "malformed", 4096],
    ["trailing byte", "malformed", 354],
    ["cut short", "malformed", 288],
    ["empty", "malformed", 0],
    ["not a map", "malformed", 0],
    ["indefinite-length map", "malformed", 0],
    ["non-minimal integer", "malformed", 2],
    ["tagged map", "malformed", 0],
    ["keys in descending order", "malformed", 1],
  ])("%s: %s goes wrong at byte %i", (name, verdict, offset) => {
    const report = inspect(name);
    expect(report).toMatchObject({ verdict, offset, reason: expect.stringMatching(/./) });
    if (verdict === "malformed")
      for (const field of report.fields) expect(field.offset).toBeLessThan(Math.max(offset, 1));
  });

  it("lists the fields before the one that is wrong", () => {
    expect(inspect("an unused flag bit").fields.map(({ name }) => name)).toEqual([
      "version",
      "sensor_id",
      "boot_id",
      "seq",
      "timestamp",
    ]);
    expect(inspect("version 2").fields).toHaveLength(9);
  });

  it("explains every prefix of an envelope", () => {
    for (let length = 0; length < valid.length; length++) {
      const { verdict, offset, fields } = inspectEnvelope(valid.subarray(0, length), keys);
      expect(verdict).toBe("malformed");
      for (const field of fields) expect(field.offset + field.length).toBeLessThanOrEqual(offset ?? -1);
    }
  });

  it("gives no verdict of accepted for a check that it could not run", () => {
    expect(inspectEnvelope(valid, {})).toMatchObject({
      verdict: null,
      unchecked: ["signature", "decryption"],
      payload: null,
    });
    expect(inspectEnvelope(valid, { trustOf: keys.trustOf })).toMatchObject({
      verdict: null,
      unchecked: ["decryption"],
    });
    expect(inspectEnvelope(valid, { recipient: keys.recipient })).toMatchObject({
      verdict: null,
      unchecked: ["signature"],
      payload: { aqi: 30 },
    });
    expect(inspectEnvelope(envelope("zero signature"), { trustOf: keys.trustOf }).verdict).toBe("bad-signature");
  });

  it("names a revoked sensor", () => {
    const trustOf = () => ({ kind: "revoked" }) as const;
    expect(inspectEnvelope(valid, { ...keys, trustOf })).toMatchObject({ verdict: "revoked-sensor", offset: 4 });
  });

  it("says what flags and times mean", () => {
    expect(inspect("valid: clock not set, smallest payload").fields.map(({ meaning }) => meaning)).toEqual(
      expect.arrayContaining(["clock not set", "clockNotSet"]),
    );
    expect(inspect("valid: largest integers").fields[4]).toMatchObject({
      value: 2 ** 53 - 1,
      meaning: "beyond the year 275760",
    });
  });

  it("shows a version that no number holds", () => {
    const huge = Buffer.concat([valid.subarray(0, 2), Buffer.from("1bffffffffffffffff", "hex"), valid.subarray(3)]);
    expect(inspectEnvelope(huge, keys)).toMatchObject({ verdict: "unsupported-version", offset: 2 });
    expect(inspectEnvelope(huge, keys).fields[0]?.value).toBe("18446744073709551615");
  });
});
